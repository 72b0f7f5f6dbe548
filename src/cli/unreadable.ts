const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its links lead in a circle',
  ENXIO: 'it is a socket',
};

/**
 * Why the system would not read a file, in words; what it calls the reason where there are none.
 *
 * @throws what was thrown, when it is not the system's
 */
export function whyUnreadable(cause: unknown): string {
  if (!(cause instanceof Error && 'code' in cause)) throw cause;
  const code = String(cause.code);
  return REASONS[code] ?? code;
}
