const HIDDEN = '***';

/** Forms in which secrets stand in logs, configurations and listings; the first group is kept. */
const FORMS: readonly RegExp[] = [
  // BIRD's configuration: password "…";
  /(\bpassword\s+)"[^"\n]*"/gi,
  // YAML, JSON, environment, `--flag=value`: the value up to its end.
  /([\w-]{0,40}(?:password|passwd|passphrase|secret|token|privatekey|private_key|client-key-data|etcdkey|bearer)["']?\s*[:=]\s*)(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,;"'}\]]+)/gi,
  /(\bauthorization["']?\s*[:=]\s*["']?(?:basic|bearer)\s+)[^\s"']+/gi,
  // https://user:word@host
  /(:\/\/[^\s:/@]+:)[^\s@/]+(?=@)/g,
];

const PEM = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g;

/** The text with every secret that has a known form blanked: what leaves this host to ask for help must not give it away. */
export function withoutSecrets(text: string): string {
  const plain = text.replaceAll(PEM, `-----BEGIN $1-----\n${HIDDEN}`);
  return FORMS.reduce((seen, form) => seen.replaceAll(form, `$1${HIDDEN}`), plain);
}
