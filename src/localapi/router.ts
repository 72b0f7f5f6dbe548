import { NotFoundError } from '../base/errors.js';

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

/** The route for a request, with its parameters. @throws {NotFoundError} there is none */
export function findRoute(routes: readonly LocalRoute[], method: string, url: string) {
  const [path = '/'] = url.split('?');
  for (const route of routes) {
    const parameters = route.method === method ? parametersOf(path, route.path) : undefined;
    if (parameters !== undefined) return { route, parameters };
  }
  throw new NotFoundError('ERR_CALI_LOCAL_ROUTE', `there is no ${method} ${path}`);
}
