/**
 * Variables as systemd reads them from a file: within double quotes four characters are escaped, as in a shell.
 *
 * @see systemd.exec(5), EnvironmentFile
 */
export function environmentFileText(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(
    ([name, value]) => `${name}="${value.replaceAll(/["\\`$]/g, String.raw`\$&`)}"\n`,
  );
  return lines.join('');
}
