import { systemErrorText } from '@tsmqtt/cli-kit/program';

/** Code of an operating system error, such as `ENOENT`; `undefined` for any other error. */
export function osErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'syscall' in error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The C library's text for an operating system error. Other errors are not for the user and are thrown on. */
export function osErrorText(error: unknown): string {
  if (osErrorCode(error) === undefined) throw error;
  return systemErrorText(error);
}
