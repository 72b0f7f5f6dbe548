/** Where a failure sits in what the user wrote: the file, the resource, the path of the field. */
export interface Where {
  readonly file?: string;
  /** Kind and name as the user knows them, e.g. `NetworkPolicy "shop/web"`. */
  readonly resource?: string;
  /** Dotted path, e.g. `spec.ingress[2].destination.ports[0]`. */
  readonly field?: string;
}

export interface CalicoErrorOptions {
  readonly hint?: string;
  readonly where?: Where;
  readonly cause?: unknown;
}

/**
 * A failure somebody can act on. Everything else that is thrown is a bug and keeps its stack.
 *
 * `code` is stable (`ERR_CALI_<AREA>_<WHAT>`): branch on the class or the code, never on the text. `message` is lower case,
 * without full stop, values in double quotes: what, where, why. `hint` is one imperative sentence.
 */
export class CalicoError extends Error {
  override readonly name: string = 'CalicoError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly where: Where | undefined;

  constructor(code: string, message: string, options: CalicoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.where = options.where;
  }
}

/** One thing wrong with one field. */
export interface Issue {
  readonly code: string;
  /** Dotted path, empty for the whole object. */
  readonly path: string;
  /** What is wrong, lower case, without the path. */
  readonly message: string;
  readonly hint?: string;
}

/** Input that breaks a rule; carries every issue found, not only the first. */
export class ValidationError extends CalicoError {
  override readonly name = 'ValidationError';
  readonly issues: readonly Issue[];

  constructor(code: string, message: string, issues: readonly Issue[], options: CalicoErrorOptions = {}) {
    super(code, message, options);
    this.issues = issues;
  }
}

/** The thing asked for is not there. */
export class NotFoundError extends CalicoError {
  override readonly name = 'NotFoundError';
}

/** The thing to be made is there already. */
export class AlreadyExistsError extends CalicoError {
  override readonly name = 'AlreadyExistsError';
}

/** A compare-and-swap lost: somebody changed the thing since it was read. Read again, plan again. */
export class ConflictError extends CalicoError {
  override readonly name = 'ConflictError';
}

/** Worth retrying: a connection refused, a time-out, a server that is starting. */
export class UnavailableError extends CalicoError {
  override readonly name = 'UnavailableError';
}

/** What work gives, or undefined where what it is about does not exist. */
export async function ifFound<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** Something this kernel, backend or build does not have; names the feature. */
export class UnsupportedError extends CalicoError {
  override readonly name = 'UnsupportedError';
  readonly feature: string;

  constructor(code: string, feature: string, message: string, options: CalicoErrorOptions = {}) {
    super(code, message, options);
    this.feature = feature;
  }
}

/** What the kernel refused: the operation, the errno by number and name, the kernel's own words. */
export class KernelError extends CalicoError {
  override readonly name = 'KernelError';
  readonly operation: string;
  readonly errno: number;
  /** Header name, e.g. `ENOENT`. */
  readonly errnoName: string;
  /** Extended-ack text, when the kernel gave one. */
  readonly kernelText: string | undefined;

  constructor(
    fact: { operation: string; errno: number; errnoName: string; kernelText?: string | undefined },
    options: CalicoErrorOptions = {},
  ) {
    const said = fact.kernelText === undefined ? '' : ` (kernel: "${fact.kernelText}")`;
    super(`ERR_CALI_KERNEL_${fact.errnoName}`, `cannot ${fact.operation}: ${fact.errnoName}${said}`, options);
    this.operation = fact.operation;
    this.errno = fact.errno;
    this.errnoName = fact.errnoName;
    this.kernelText = fact.kernelText;
  }
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** What somebody else wrote, fit for one line of a message: control characters, which move a terminal's cursor, in written form. */
export function visibleText(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (control) => SHORT_ESCAPES[control] ?? `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** The same for a text of several lines. */
function visibleLines(text: string): string {
  return text.split('\n').map(visibleText).join('\n');
}

/**
 * One line for people (the hint, when there is one, on a second): `web.yaml: NetworkPolicy "shop/web": spec.order: …`.
 * Errors that are not ours give their message alone.
 */
export function formatError(error: unknown): string {
  if (!(error instanceof CalicoError)) return visibleLines(error instanceof Error ? error.message : String(error));
  const where = [error.where?.file, error.where?.resource, error.where?.field].filter((part) => part !== undefined);
  const line = [...where, error.message].join(': ');
  return visibleLines(error.hint === undefined ? line : `${line}\n  hint: ${error.hint}`);
}
