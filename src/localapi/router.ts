import { CalicoError, NotFoundError, visibleText } from '../base/errors.js';

export interface LocalRequest {
  /** By the name in the route's path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The parsed body; undefined when there was none. */
  readonly body: unknown;
}

export interface LocalAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly body: object;
}

/** `path` has `{name}` where a parameter stands: `/v1/workloads/{namespace}/{name}`. */
export interface LocalRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly answer: (request: LocalRequest) => Promise<LocalAnswer> | LocalAnswer;
}

/** Undefined for what is no percent-encoding: no name of anything. */
function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    // URIError is all it throws.
    return undefined;
  }
}

function parametersOf(path: string, wanted: string): Record<string, string> | undefined {
  const seen = path.split('/');
  const parts = wanted.split('/');
  if (seen.length !== parts.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = seen[index] ?? '';
    if (part.startsWith('{') && value !== '') {
      const text = decoded(value);
      if (text === undefined) return undefined;
      parameters[part.slice(1, -1)] = text;
    } else if (part !== value) return undefined;
  }
  return parameters;
}

/** The path is there, but not for this method. */
export class MethodError extends CalicoError {
  override readonly name = 'MethodError';
  /** Those it is there for. */
  readonly allowed: readonly string[];

  constructor(method: string, path: string, allowed: readonly string[]) {
    super('ERR_CALI_LOCAL_METHOD', `there is no ${method} of ${path}`, { hint: `use ${allowed.join(' or ')}` });
    this.allowed = allowed;
  }
}

/** The route for a request, with its parameters. @throws {NotFoundError} there is none @throws {MethodError} */
export function findRoute(routes: readonly LocalRoute[], method: string, url: string) {
  const [path = '/'] = url.split('?');
  const allowed: string[] = [];
  for (const route of routes) {
    const parameters = parametersOf(path, route.path);
    if (parameters === undefined) continue;
    if (route.method === method) return { route, parameters };
    allowed.push(route.method);
  }
  if (allowed.length > 0) throw new MethodError(method, visibleText(path), allowed);
  const hint = path.startsWith('/v1/') ? {} : { hint: 'this calico-node speaks version 1: paths begin with /v1/' };
  throw new NotFoundError('ERR_CALI_LOCAL_ROUTE', `there is no ${visibleText(path)}`, hint);
}
