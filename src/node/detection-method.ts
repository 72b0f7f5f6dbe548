import { CalicoError } from '../base/errors.js';
import { type Prefix, tryParsePrefix } from '../net/prefix.js';

/** How a host's address is found. */
export type DetectionMethod =
  | { readonly type: 'first-found' }
  | { readonly type: 'interface'; readonly pattern: RegExp }
  | { readonly type: 'skip-interface'; readonly pattern: RegExp }
  | { readonly type: 'can-reach'; readonly host: string }
  | { readonly type: 'cidr'; readonly prefixes: readonly Prefix[] };

function bad(variable: string, message: string, hint: string): CalicoError {
  return new CalicoError('ERR_CALI_NODE_SETTING', message, { where: { field: variable }, hint });
}

function words(list: string): string[] {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function parsePattern(variable: string, text: string): RegExp {
  const parts = words(text);
  if (parts.length === 0)
    throw bad(variable, 'no interface is named after the "="', `write ${variable}=interface=eth.*`);
  try {
    return new RegExp(parts.map((part) => `(?:${part})`).join('|'));
  } catch (cause) {
    const message = `"${text}" is not a regular expression: ${cause instanceof Error ? cause.message : 'unreadable'}`;
    throw bad(variable, message, `write ${variable}=interface=eth.*`);
  }
}

function parsePrefixes(variable: string, text: string): Prefix[] {
  return words(text).map((word) => {
    const prefix = tryParsePrefix(word);
    if (prefix === undefined) throw bad(variable, `"${word}" is not a CIDR`, `write ${variable}=cidr=192.0.2.0/24`);
    return prefix;
  });
}

/**
 * Reads `first-found`, `interface=…`, `skip-interface=…`, `can-reach=…`, `cidr=…`.
 *
 * @param variable for messages: where the text stood
 * @throws {CalicoError} `ERR_CALI_NODE_SETTING`
 */
export function parseDetectionMethod(variable: string, text: string): DetectionMethod {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const argument = equals < 0 ? '' : text.slice(equals + 1);
  switch (name) {
    case 'first-found':
      return { type: name };
    case 'interface':
    case 'skip-interface':
      return { type: name, pattern: parsePattern(variable, argument) };
    case 'can-reach':
      return { type: name, host: argument.trim() };
    case 'cidr':
      return { type: name, prefixes: parsePrefixes(variable, argument) };
    default:
      throw bad(
        variable,
        `"${text}" is not a way to find an address`,
        'choose first-found, interface=REGEX, skip-interface=REGEX, can-reach=HOST or cidr=CIDR',
      );
  }
}

/** As it was written, near enough for messages. */
export function formatDetectionMethod(method: DetectionMethod): string {
  switch (method.type) {
    case 'first-found':
      return method.type;
    case 'interface':
    case 'skip-interface':
      return `${method.type}=${method.pattern.source}`;
    case 'can-reach':
      return `${method.type}=${method.host}`;
    case 'cidr':
      return `${method.type} (${method.prefixes.length} given)`;
  }
}
