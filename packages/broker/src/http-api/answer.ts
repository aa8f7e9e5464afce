/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };

/** Anybody's web page may read what the API says; the password is asked for all the same (broker §10.5). */
export const CORS = { 'Access-Control-Allow-Origin': '*' };

/** A success. */
export function success(body: string, contentType = TEXT['Content-Type']): Answer {
  return { status: 200, headers: { ...CORS, 'Content-Type': contentType }, body };
}

/** The refusals, with the bodies of broker §10.5. */
// biome-ignore format: one row a line
export const REFUSALS = {
  badRequest:    { status: 400, headers: TEXT, body: 'Bad request\n' },
  notAuthorised: { status: 401, headers: { ...TEXT, 'WWW-Authenticate': 'Basic realm="Mosquitto API", charset="UTF-8"' }, body: 'Not authorised\n' },
  notFound:      { status: 404, headers: TEXT, body: 'Not found.\n' },
  wrongMethod:   { status: 405, headers: { ...TEXT, Allow: 'GET' }, body: 'Invalid HTTP Method\n' },
  failed:        { status: 500, headers: TEXT, body: 'Internal error\n' },
  busy:          { status: 503, headers: { ...TEXT, 'Retry-After': '1' }, body: 'Too many passwords are being checked\n' },
} as const satisfies Record<string, Answer>;
