export type Fields = Record<string, unknown>;

/** Whether it is what YAML and JSON call a map or an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
