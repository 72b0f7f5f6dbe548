import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A throw-away certificate authority; needs the `openssl` command. */
export class TestAuthority {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(): Promise<TestAuthority> {
    const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const authority = new TestAuthority(await mkdtemp(join(parent, 'calico-test-ca-')));
    const files = ['-keyout', authority.path('ca.key'), '-out', authority.caFile];
    await run('openssl', ['req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=test authority', ...files]);
    return authority;
  }

  get caFile(): string {
    return this.path('ca.pem');
  }

  /** A certificate for 127.0.0.1, unless told otherwise, that serves on both ends. */
  async issue(
    name: string,
    subject = 'IP:127.0.0.1',
  ): Promise<{ readonly certFile: string; readonly keyFile: string }> {
    const [certFile, keyFile, request] = [this.path(`${name}.pem`), this.path(`${name}.key`), this.path(`${name}.csr`)];
    const extensions = this.path(`${name}.ext`);
    await writeFile(extensions, `subjectAltName=${subject}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    await run('openssl', ['req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', request]);
    const signer = ['-CA', this.caFile, '-CAkey', this.path('ca.key'), '-CAcreateserial'];
    await run('openssl', [
      'x509',
      '-req',
      '-in',
      request,
      '-days',
      '2',
      ...signer,
      '-extfile',
      extensions,
      '-out',
      certFile,
    ]);
    return { certFile, keyFile };
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.#directory, name);
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;
