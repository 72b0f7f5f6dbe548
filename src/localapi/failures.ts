import {
  AlreadyExistsError,
  CalicoError,
  ConflictError,
  NotFoundError,
  UnavailableError,
  ValidationError,
} from '../base/errors.js';
import { MethodError } from './router.js';

/** The code of the failure to send more than a request may be. */
export const TOO_LARGE = 'ERR_CALI_LOCAL_TOO_LARGE';

const STATUS = {
  validation: 400,
  notFound: 404,
  method: 405,
  alreadyExists: 409,
  conflict: 412,
  tooLarge: 413,
  other: 500,
  unavailable: 503,
} as const;

/** What a failure is as an answer. Bugs are told as such, without their stack. */
export function failureAnswer(error: unknown): { readonly status: number; readonly body: object } {
  if (!(error instanceof CalicoError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: STATUS.other, body: { code: 'ERR_CALI_LOCAL_BUG', message } };
  }
  const where = [error.where?.resource, error.where?.field].filter((part) => part !== undefined);
  const message = [...where, error.message].join(': ');
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return { status: statusOf(error), body: { code: error.code, message, ...hint } };
}

function statusOf(error: CalicoError): number {
  if (error.code === TOO_LARGE) return STATUS.tooLarge;
  if (error instanceof MethodError) return STATUS.method;
  if (error instanceof ValidationError) return STATUS.validation;
  if (error instanceof NotFoundError) return STATUS.notFound;
  if (error instanceof AlreadyExistsError) return STATUS.alreadyExists;
  if (error instanceof ConflictError) return STATUS.conflict;
  return error instanceof UnavailableError ? STATUS.unavailable : STATUS.other;
}

/** The failure as the server had it: the same class and code. */
export function failureFromAnswer(
  status: number,
  { code, message, hint }: { readonly code: string; readonly message: string; readonly hint?: string | undefined },
): CalicoError {
  const options = hint === undefined ? {} : { hint };
  switch (status) {
    case STATUS.validation:
    case STATUS.tooLarge:
      return new ValidationError(code, message, [], options);
    case STATUS.notFound:
      return new NotFoundError(code, message, options);
    case STATUS.alreadyExists:
      return new AlreadyExistsError(code, message, options);
    case STATUS.conflict:
      return new ConflictError(code, message, options);
    case STATUS.unavailable:
      return new UnavailableError(code, message, options);
    default:
      return new CalicoError(code, message, options);
  }
}
