import { ConflictError, type Issue, UnsupportedError, ValidationError } from '../base/errors.js';

/** A rule that only the store can judge was broken; worded like the issues of `api`. */
export function refused(resource: string, issue: Issue): ValidationError {
  const { path, message, hint } = issue;
  return new ValidationError('ERR_CALI_CLIENT_REFUSED', path === '' ? message : `${path}: ${message}`, [issue], {
    where: { resource },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** `operation delete is not supported on Tier(default): …`. */
export function notSupported(operation: string, id: string, reason: string): UnsupportedError {
  return new UnsupportedError(
    'ERR_CALI_CLIENT_OPERATION',
    `${operation} ${id}`,
    `operation ${operation} is not supported on ${id}: ${reason}`,
  );
}

export function notARevision(text: string): Issue {
  const message = `"${text}" is not a revision: it is a number, as get shows it`;
  return { code: 'rule', path: 'metadata.resourceVersion', message, hint: 'leave it out to change what is there now' };
}

export function staleRevision(resource: string, yours: string, stored: string): ConflictError {
  return new ConflictError(
    'ERR_CALI_CLIENT_CONFLICT',
    `${resource} changed since you read it (yours: revision ${yours}, stored: ${stored})`,
    { hint: 'get it again, repeat your edit, replace' },
  );
}
