import type { Attribute, Node, ValueInfo } from './graph.ts';

/** The node with other inputs; everything else stays as it is in the file, unknown fields too. */
export const withInputs = (node: Node, inputs: readonly string[]): Node => ({ ...node, inputs });

export const withOutputs = (node: Node, outputs: readonly string[]): Node => ({ ...node, outputs });

/** The node with the attributes in `changes` set, or removed where undefined; attributes that are not named are copied as they are. */
export function withAttributes(node: Node, changes: Readonly<Record<string, Attribute | undefined>>): Node {
  const attributes = new Map(node.attributes);
  for (const [name, attribute] of Object.entries(changes)) {
    if (attribute) attributes.set(name, attribute);
    else attributes.delete(name);
  }
  return { ...node, attributes };
}

/** A node that did not come from a file. */
export function newNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  more: { name?: string; domain?: string; attributes?: Readonly<Record<string, Attribute>> } = {},
): Node {
  const { name = '', domain = '', attributes = {} } = more;
  return { opType, domain, name, inputs, outputs, attributes: new Map(Object.entries(attributes)), metadata: {} };
}

/** An input or output of another type or shape. */
export const withType = (value: ValueInfo, change: Pick<ValueInfo, 'dtype' | 'shape'>): ValueInfo => ({ ...value, ...change });
