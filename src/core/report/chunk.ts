/** Bytes of a file in the order in which they are written, and how many of the tensor's elements are done with them. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly done: number;
}
