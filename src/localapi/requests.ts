import * as v from 'valibot';
import { ValidationError } from '../base/errors.js';

/**
 * The body of a request with its defaults, by one of the schemas of `protocol.ts`.
 *
 * @throws {ValidationError} `ERR_CALI_LOCAL_REQUEST` every field that is wrong
 */
export function readRequest<T>(schema: v.GenericSchema<unknown, T>, body: unknown): T {
  const read = v.safeParse(schema, body);
  if (read.success) return read.output;
  const issues = read.issues.map((issue) => ({
    code: 'ERR_CALI_LOCAL_REQUEST',
    path: v.getDotPath(issue) ?? '',
    message: issue.message.charAt(0).toLowerCase() + issue.message.slice(1),
  }));
  const words = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new ValidationError('ERR_CALI_LOCAL_REQUEST', words, issues);
}
