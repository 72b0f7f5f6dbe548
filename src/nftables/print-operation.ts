import { printMember } from './elements.js';
import type { Operation } from './nftables.js';
import type { Elements, Rule, Table, TableId } from './objects.js';
import { printChainBody, printCounterBody, printRule, printSetBody } from './print.js';

type Making = Extract<Operation, { verb: 'add' | 'create' }>;
type Taking = Extract<Operation, { verb: 'delete' | 'flush' }>;

/** One operation as a command `nft -f` would take; one line. */
export function printOperation(operation: Operation): string {
  switch (operation.verb) {
    case 'delete-rule':
      return `delete rule ${place(operation.chain.table)} ${operation.chain.name} handle ${operation.handle}`;
    case 'replace':
      return printRuleOperation('replace', operation.object, operation.handle);
    case 'insert':
      return printRuleOperation('insert', operation.object, operation.beside);
    case 'delete':
    case 'flush':
      return printTaking(operation.verb, operation.object);
    case 'add':
    case 'create':
      if (operation.object.kind !== 'rule') return printMaking(operation.verb, operation.object);
      return printRuleOperation('add', operation.object, 'beside' in operation ? operation.beside : undefined);
  }
}

function place(table: TableId): string {
  return `${table.family} ${table.name}`;
}

function printTaking(verb: string, object: Taking['object']): string {
  if (object.kind === 'table') return `${verb} table ${place(object)}`;
  if (object.kind === 'elements') return printElements(verb, object);
  return `${verb} ${object.kind} ${place(object.table)} ${object.name}`;
}

function printMaking(verb: string, object: Exclude<Making['object'], Rule>): string {
  if (object.kind === 'table') return `${verb} table ${place(object)}${braced(tableBody(object))}`;
  if (object.kind === 'elements') return printElements(verb, object);
  const what = `${verb} ${object.kind} ${place(object.table)} ${object.name}`;
  if (object.kind === 'chain') return what + braced(printChainBody(object));
  return what + braced(object.kind === 'counter' ? printCounterBody(object, true) : printSetBody(object));
}

function tableBody(object: Table): readonly string[] {
  return object.comment === undefined ? [] : [`comment "${object.comment}"`];
}

/** Lines of the listing as statements between braces. */
function braced(lines: readonly string[]): string {
  return lines.length === 0 ? '' : ` { ${lines.map((line) => (line.endsWith(';') ? line : `${line};`)).join(' ')} }`;
}

function printRuleOperation(verb: string, rule: Rule, handle: number | undefined): string {
  const where = handle === undefined ? '' : ` handle ${handle}`;
  return `${verb} rule ${place(rule.chain.table)} ${rule.chain.name}${where} ${printRule(rule)}`;
}

/** A hundred thousand members would make an error or a log line unreadable. */
const SHOWN_MEMBERS = 1000;

function printElements(verb: string, object: Elements): string {
  const shown = object.members.slice(0, SHOWN_MEMBERS).map((member) => printMember(object.set, member));
  const rest = object.members.length - shown.length;
  const list = rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
  return `${verb} element ${place(object.set.table)} ${object.set.name} { ${list} }`;
}
