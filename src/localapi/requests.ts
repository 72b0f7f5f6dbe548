import * as v from 'valibot';
import { ValidationError } from '../base/errors.js';
import { attachRequest, type CompleteAttachRequest } from './protocol.js';

/** The body of `POST /v1/workloads` with its defaults. @throws {ValidationError} `ERR_CALI_LOCAL_REQUEST` every field that is wrong */
export function readAttachRequest(body: unknown): CompleteAttachRequest {
  const read = v.safeParse(attachRequest, body);
  if (read.success) return read.output;
  const issues = read.issues.map((issue) => ({
    code: 'ERR_CALI_LOCAL_REQUEST',
    path: v.getDotPath(issue) ?? '',
    message: issue.message.charAt(0).toLowerCase() + issue.message.slice(1),
  }));
  const words = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new ValidationError('ERR_CALI_LOCAL_REQUEST', words, issues);
}
