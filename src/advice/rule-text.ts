import type { EntityRule, Rule } from '../api/rule.js';

function listed(values: readonly (string | number)[] | undefined): string {
  return (values ?? []).join(', ');
}

function whoParts(side: EntityRule): readonly string[] {
  const { selector, notSelector, namespaceSelector, serviceAccounts, services, nets, notNets } = side;
  const accounts = [listed(serviceAccounts?.names), serviceAccounts?.selector ?? ''].filter((text) => text !== '');
  return [
    selector ?? '',
    namespaceSelector === undefined ? '' : `in namespaces ${namespaceSelector}`,
    accounts.length === 0 ? '' : `of service accounts ${accounts.join(' and ')}`,
    services?.name === undefined ? '' : `of service ${services.name}`,
    listed(nets),
    notSelector === undefined ? '' : `not ${notSelector}`,
    notNets === undefined ? '' : `not ${listed(notNets)}`,
  ].filter((text) => text !== '');
}

function describeSide(word: 'from' | 'to', side: EntityRule | undefined): readonly string[] {
  if (side === undefined) return [];
  const who = whoParts(side);
  const ports = [
    side.ports === undefined ? '' : `port ${listed(side.ports)}`,
    side.notPorts === undefined ? '' : `not port ${listed(side.notPorts)}`,
  ].filter((text) => text !== '');
  const parts = [...who, ...ports];
  return parts.length === 0 ? [] : [`${word} ${parts.join(' ')}`];
}

function icmpText(word: string, icmp: Rule['icmp']): readonly string[] {
  if (icmp?.type === undefined) return [];
  return [`${word}type ${icmp.type}${icmp.code === undefined ? '' : ` code ${icmp.code}`}`];
}

/** A rule as one would say it: `Allow TCP from role == 'web' to port 80, 443`. */
export function describeRule(rule: Rule): string {
  const { action, ipVersion, protocol, notProtocol, http } = rule;
  const parts = [
    action as string,
    ...(ipVersion === undefined ? [] : [`IPv${ipVersion}`]),
    ...(protocol === undefined ? [] : [typeof protocol === 'number' ? `protocol ${protocol}` : protocol]),
    ...(notProtocol === undefined ? [] : [`not ${typeof notProtocol === 'number' ? 'protocol ' : ''}${notProtocol}`]),
    ...icmpText('', rule.icmp),
    ...icmpText('not ', rule.notICMP),
    ...describeSide('from', rule.source),
    ...describeSide('to', rule.destination),
    ...(http === undefined ? [] : [`HTTP ${listed(http.methods)}`.trim()]),
  ];
  return parts.join(' ');
}
