/** An option as a person types it in a form, or after a flag: "4", "0-2 3-5" as lists, "0:1 3:0,2". Nothing for null. */
export function optionText(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value ?? '');
  if (Array.isArray(value)) return value.map(item => (Array.isArray(item) ? item.join(',') : String(item))).join(' ');
  return Object.entries(value)
    .map(([layer, units]) => `${layer}:${(units as readonly number[]).join(',')}`)
    .join(' ');
}
