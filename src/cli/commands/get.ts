import { type Command, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';

export const get: Command = {
  name: 'get',
  help: 'show resources: all of a kind, those named, or those that a file names',
  arguments: ['[kind]', '[names...]'],
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    { flags: '-A, --all-namespaces', help: 'of all namespaces' },
    { flags: '-a', help: 'the same as -A', isHidden: true },
    {
      flags: '-o, --output <format>',
      help: 'ps (default), wide, yaml, json, custom-columns=NAME,…, go-template=TEMPLATE or go-template-file=FILE',
      values: ['ps', 'wide', 'yaml', 'json', 'custom-columns=', 'go-template=', 'go-template-file='],
    },
    { flags: '-l, --selector <selector>', help: "only those with such labels: app == 'web' && has(tier)" },
    { flags: '--sort-by <path>', help: 'in the order of a field: .spec.order' },
    { flags: '--show-labels', help: 'a column with the labels' },
    { flags: '-w, --watch', help: 'go on and show changes as they happen, until Ctrl-C' },
    { flags: '--export', help: 'without what belongs to this cluster alone; only for resources given by name' },
  ],
  usesDatastore: true,
  examples: [
    ['get networkpolicy -A -o wide', 'every policy of every namespace'],
    ['get ippool default-ipv4-ippool -o yaml --export > pool.yaml', 'one pool, to edit and replace'],
    [`get workloadendpoint -A -l "app == 'web'" --sort-by .spec.node`, 'endpoints of an application, by host'],
    ['get node -o custom-columns=NAME,IPV4', 'the columns you choose'],
    [`get node -o go-template='{{range .items}}{{.metadata.name}} {{end}}'`, 'a form of your own'],
  ],
  async handler(call, context) {
    const { getResources } = await import('../read/get-resources.js');
    return getResources(call, context);
  },
};
