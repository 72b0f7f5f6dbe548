import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { parseResourceTemplate } from '../read/get-template.js';
import { compileTemplate } from './go-template.js';
import type { Value } from './go-template-values.js';

interface Cases {
  readonly data: unknown;
  readonly cases: readonly (readonly [template: string, printed: string | null])[];
}

const { data, cases } = JSON.parse(
  readFileSync(new URL('go-template.cases.json', import.meta.url), 'utf8'),
) as unknown as Cases;

function valueOf(json: unknown): Value {
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return json.map(valueOf);
  if (typeof json !== 'object' || json === null) return json as Value;
  return new Map(Object.entries(json).map(([key, value]) => [key, valueOf(value)]));
}

/** What it prints, or the code of its refusal. */
function execute(template: string, value: Value = valueOf(data)): string | { readonly refusal: string } {
  try {
    return compileTemplate(template).execute(value);
  } catch (error) {
    if (error instanceof CalicoError) return { refusal: error.code };
    throw error;
  }
}

/** What templates are made of, and what breaks them. */
const PIECES = [
  '{{~}}~{{-~-}}~ ~.~.name~.list~.items~.nest.x~$~$x~:=~=~|~,~(~)~if ~else~end~range ~with ~define ~block ~template ~"a"~`b`',
  "'c'~1~-2~1.5~nil~true~print ~printf ~'%5.2f%v%q'~index ~slice ~len ~eq ~lt ~and ~not ~html ~js ~urlquery ~join ~/*~*/",
  '{{end}}~{{else}}~{{.}}~{{range .list}}~{{break}}',
].flatMap((line) => line.split('~'));

const REFUSED = { refusal: 'ERR_CALI_CLI_TEMPLATE' };

describe('compileTemplate()', () => {
  test.each(cases)('%j is as in Go', (template, printed) => {
    expect(execute(template)).toEqual(printed ?? REFUSED);
  });

  test.each([
    ['{{range .}}\n  {{foo}}{{end}}', 'template:2:5: function "foo" is not defined'],
    ['{{printn 1}}', 'template:1:3: function "printn" is not defined\n  hint: did you mean "print"?'],
    ['{{if .x}}', 'template:1:1: {{if}} has no {{end}}'],
    ['ab{{', 'template:1:3: the action is not closed: }} is missing'],
    ['{{index .list 9}}', 'template:1:3: index: index out of range: 9'],
    ['{{lt 1 "a"}}', 'template:1:3: lt: incompatible types for comparison: int and string'],
    ['{{template "x"}}', 'template:1:1: template "x" is not defined'],
  ])('says what is wrong with %j, and where', (template, said) => {
    let heard = '';
    try {
      compileTemplate(template).execute(valueOf(data));
    } catch (error) {
      const { message, hint } = error as CalicoError;
      heard = hint === undefined ? message : `${message}\n  hint: ${hint}`;
    }
    expect(heard).toBe(said);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'size'])('knows nothing of %s', (name) => {
    expect(execute(`{{.${name}}} {{index .map "${name}"}} {{(index .list 0) | print}}`)).toBe(
      '<no value> <no value> a',
    );
    expect(execute(`{{.name.${name}}}`)).toEqual(REFUSED);
    expect(execute(`{{.list.${name}}}`)).toEqual(REFUSED);
    expect(execute(`{{${name}}}`)).toEqual(REFUSED);
  });

  test('bounds what it does', () => {
    expect(execute('{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}')).toEqual(REFUSED);
    const long = compileTemplate('{{range 900000000}}{{end}}', { stepLimit: 10_000 });
    expect(() => long.execute(null)).toThrow('template: it does not come to an end');
    expect(execute(`{{${'('.repeat(5000)}1${')'.repeat(5000)}}}`)).toEqual(REFUSED);
    expect(execute('{{if true}}'.repeat(5000))).toEqual(REFUSED);
    expect(execute('{{printf "%99999999d" 1}}')).toBe('%!(BADWIDTH)1');
  });

  test('never fails but with its own error', () => {
    const piece = fc.constantFrom(...PIECES, '\n');
    const template = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
      fc.string(),
    );
    const inside = fc.array(piece, { maxLength: 12 }).map((pieces) => `{{${pieces.join(' ')}}}`);
    fc.assert(
      fc.property(fc.oneof(template, inside), (text) => {
        const printed = execute(text);
        expect(typeof printed === 'string' ? REFUSED : printed).toEqual(REFUSED);
      }),
      { numRuns: 1000 },
    );
  });

  test('prints any format with any value', () => {
    const value = fc.oneof(
      fc.bigInt(),
      fc.double(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
    );
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...'% + - # 0 * . 1 9 d s v q x X c U e E f g G t T o b O ! a'.split(' '), ' '),
        }),
        value,
        (format, argument) => {
          const map = new Map<string, Value>([
            ['f', format],
            ['v', argument],
          ]);
          expect(typeof execute('{{printf .f .v .v}}', map)).toBe('string');
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('parseResourceTemplate()', () => {
  const pool = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'office', labels: { a: 'b' } },
    spec: { cidr: '192.168.0.0/16', natOutgoing: true },
  };
  const tier = { kind: 'Tier', metadata: { name: 'default' }, spec: { order: 1_000_000 } };
  const execute = (template: string, ...objects: readonly object[]) =>
    parseResourceTemplate(template).execute(objects, '64512');

  test.each([
    ['{{range .}}{{.metadata.name}} {{.spec.cidr}}{{end}}', 'office 192.168.0.0/16'],
    ['{{range .}}{{.ObjectMeta.Name}} {{.Spec.CIDR}} {{.Spec.NATOutgoing}}{{end}}', 'office 192.168.0.0/16 true'],
    ['{{range .}}{{.Name}} {{.Kind}} {{.TypeMeta.APIVersion}}{{end}}', 'office IPPool projectcalico.org/v3'],
    ['{{.metadata.name}}', 'office'],
    [
      '{{range .}}{{.Spec.Disabled}}|{{.Spec.NodeSelector}}|{{.Spec.AllowedUses}}|{{.Spec.BlockSize}}{{end}}',
      'false||[]|<nil>',
    ],
    ['{{range .}}{{join .Labels ","}} {{.Namespace}}{{.UID}}{{end}}', 'a=b '],
    ['{{config "asNumber"}}', '64512'],
  ])('%s over an object', (template, printed) => {
    expect(execute(template, pool)).toBe(printed);
  });

  test('goes over the items of a list, and writes orders as Go does', () => {
    const list = { kind: 'TierList', metadata: { resourceVersion: '7' }, items: [tier, { ...tier, spec: {} }] };
    const template = '{{range .}}{{.ListMeta.ResourceVersion}}{{range .Items}} {{.Name}}={{.Spec.Order}}{{end}}{{end}}';
    expect(execute(template, list)).toBe('7 default=1e+06 default=<nil>');
    expect(execute('{{range .items}}{{.metadata.name}},{{end}}', list)).toBe('default,default,');
  });

  test('goes over several objects', () => {
    expect(execute('{{range .}}{{.Name}} {{end}}', pool, tier)).toBe('office default ');
    expect(() => execute('{{.Name}}', pool, tier)).toThrow('template:1:3: there is no field Name in a []interface {}');
    expect(() => execute('{{config "x"}}', pool)).toThrow('template:1:3: config: it knows "asnumber" only');
  });

  test('cuts long lists as the tables do', () => {
    const set = { kind: 'NetworkSet', metadata: { name: 'a' }, spec: { nets: ['192.0.2.0/24', '198.51.100.0/24'] } };
    expect(execute('{{range .}}{{joinAndTruncate .Spec.Nets "," 20}}{{end}}', set)).toBe('192.0.2.0/24,198....');
  });
});
