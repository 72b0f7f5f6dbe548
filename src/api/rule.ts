import * as v from 'valibot';
import { explained, integer, listUpTo, namespaceSelector, selector, strictCidr } from './fields.js';
import type { DeepReadonly } from './meta.js';

export const ACTIONS = ['Allow', 'Deny', 'Log', 'Pass'] as const;
export const PROTOCOL_NAMES = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite'] as const;

/** IANA numbers of the protocols that have a name in rules. */
export const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
};

function numberInText(input: number | string): number | string {
  return typeof input === 'string' && /^\d{1,9}$/.test(input) ? Number(input) : input;
}

/** `TCP` and the like, or 1–255. Digits in text become a number. */
export function protocol() {
  return v.pipe(
    v.union([v.number(), v.string()]),
    v.transform(numberInText),
    explained((value: number | string) => {
      if (typeof value === 'number') {
        return Number.isInteger(value) && value >= 1 && value <= 255
          ? undefined
          : `${value} is not a protocol number from 1 to 255`;
      }
      if (PROTOCOL_NUMBERS[value] !== undefined) return undefined;
      const cased = PROTOCOL_NAMES.find((name) => name.toLowerCase() === value.toLowerCase());
      const message = `"${value}" is not a protocol: TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite, or a number`;
      return cased === undefined ? message : { message, hint: `write ${cased}` };
    }),
    v.metadata({ words: `one of ${PROTOCOL_NAMES.join(', ')}, or a number from 1 to 255` }),
  );
}

/** A port of a rule, read: a range (first = last for one port) or the name of an endpoint's port. */
export type ParsedPort = { readonly first: number; readonly last: number } | { readonly name: string };

/** Reads a rule's port as stored: 80, `80:90`, or a name; undefined when it is none of these. */
export function parsePort(port: number | string): ParsedPort | undefined {
  const value = numberInText(port);
  if (typeof value === 'number') return isPort(value) ? { first: value, last: value } : undefined;
  const range = /^(\d+):(\d+)$/.exec(value);
  if (range !== null) {
    const first = Number(range[1]);
    const last = Number(range[2]);
    return isPort(first) && isPort(last) && first <= last ? { first, last } : undefined;
  }
  return /^[a-zA-Z0-9_.-]{1,128}$/.test(value) ? { name: value } : undefined;
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

function explainBadPort(value: number | string): string | { message: string; hint: string } | undefined {
  if (parsePort(value) !== undefined) return undefined;
  const range = typeof value === 'string' ? /^(\d+):(\d+)$/.exec(value) : null;
  if (range === null) return `"${value}" is not a port: write 1 to 65535, first:last, or a port's name`;
  const first = Number(range[1]);
  const last = Number(range[2]);
  if (!isPort(first) || !isPort(last)) return `"${value}" is not a port range: ports are 1 to 65535`;
  return { message: `"${value}" is not a port range: it ends before it begins`, hint: `write ${last}:${first}` };
}

/** 80, `80:90`, or a name. Digits in text become a number. */
export function port() {
  return v.pipe(
    v.union([v.number(), v.string()]),
    v.transform(numberInText),
    explained(explainBadPort),
    v.metadata({ words: '1 to 65535, first:last, or the name of a port' }),
  );
}

const nets = () => listUpTo(256, strictCidr());
const ports = () => listUpTo(50, port());
const icmp = () => v.strictObject({ type: v.exactOptional(integer(0, 254)), code: v.exactOptional(integer(0, 255)) });

export const entityRule = v.strictObject({
  nets: v.exactOptional(nets()),
  notNets: v.exactOptional(nets()),
  selector: v.exactOptional(selector()),
  notSelector: v.exactOptional(selector()),
  namespaceSelector: v.exactOptional(namespaceSelector()),
  ports: v.exactOptional(ports()),
  notPorts: v.exactOptional(ports()),
  serviceAccounts: v.exactOptional(
    v.strictObject({ names: v.exactOptional(v.array(v.string())), selector: v.exactOptional(selector()) }),
  ),
  services: v.exactOptional(
    v.strictObject({ name: v.exactOptional(v.string()), namespace: v.exactOptional(v.string()) }),
  ),
});

const httpPath = v.strictObject({ exact: v.exactOptional(v.string()), prefix: v.exactOptional(v.string()) });

export const rule = v.strictObject({
  action: v.picklist(ACTIONS),
  ipVersion: v.exactOptional(v.picklist([4, 6])),
  protocol: v.exactOptional(protocol()),
  notProtocol: v.exactOptional(protocol()),
  icmp: v.exactOptional(icmp()),
  notICMP: v.exactOptional(icmp()),
  source: v.exactOptional(entityRule),
  destination: v.exactOptional(entityRule),
  http: v.exactOptional(
    v.strictObject({
      methods: v.exactOptional(listUpTo(20, v.string())),
      paths: v.exactOptional(listUpTo(20, httpPath)),
    }),
  ),
  metadata: v.exactOptional(v.strictObject({ annotations: v.exactOptional(v.record(v.string(), v.string())) })),
});

/** Rules of one direction. */
export function rules() {
  return listUpTo(1024, rule);
}

export type Rule = DeepReadonly<v.InferOutput<typeof rule>>;
export type EntityRule = DeepReadonly<v.InferOutput<typeof entityRule>>;
