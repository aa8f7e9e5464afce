import { describe, expect, it } from 'vitest';
import { MAX_SCRAM_MESSAGE, readClientFinal, readClientFirst } from './scram-messages.js';

const PROOF = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';

describe('client-first-message (RFC 5802, 7)', () => {
  it.each([
    ['n,,n=user,r=abc', { header: 'n,,', bare: 'n=user,r=abc', username: 'user', nonce: 'abc' }],
    ['y,,n=user,r=a+/~!=', { header: 'y,,', bare: 'n=user,r=a+/~!=', username: 'user', nonce: 'a+/~!=' }],
    [
      'n,a=me,n=user,r=x',
      { header: 'n,a=me,', bare: 'n=user,r=x', username: 'user', nonce: 'x', authorizationId: 'me' },
    ],
    [
      'n,,n=a=2Cb=3Dc=3D2C,r=x',
      { header: 'n,,', bare: 'n=a=2Cb=3Dc=3D2C,r=x', username: 'a,b=c=2C', nonce: 'x' },
    ],
    ['n,,n=ü☃,r=x', { header: 'n,,', bare: 'n=ü☃,r=x', username: 'ü☃', nonce: 'x' }],
    ['n,,n=u,r=x,e=1,f=a=b', { header: 'n,,', bare: 'n=u,r=x,e=1,f=a=b', username: 'u', nonce: 'x' }],
  ])('%s', (text, expected) => {
    expect(readClientFirst(Buffer.from(text))).toEqual({ authorizationId: undefined, ...expected });
  });

  it.each([
    '',
    'n,,',
    'n,,n=,r=x',
    'n,,n=user',
    'n,,n=user,r=',
    'n,,r=x,n=user',
    'n,n=user,r=x',
    'n=user,r=x',
    'N,,n=user,r=x',
    'x,,n=user,r=x',
    'p=tls-unique,,n=user,r=x',
    'n,,m=must,n=user,r=x',
    'n,a=,n=user,r=x',
    'n,a==,n=user,r=x',
    'n,,n=a=b,r=x',
    'n,,n=a=2c,r=x',
    'n,,n=user,r=a b',
    'n,,n=user,r=ä',
    'n,,n=user,r=x,',
    'n,,n=user,r=x,ext',
    'n,,n=us\0er,r=x',
    ' n,,n=user,r=x',
    'n,,n=user,r=x\n',
    `n,,n=user,r=${'x'.repeat(MAX_SCRAM_MESSAGE)}`,
  ])('is refused: %j', (text) => {
    expect(readClientFirst(Buffer.from(text))).toBeUndefined();
  });

  it('is refused where it is not UTF-8', () => {
    expect(readClientFirst(Buffer.from('n,,n=\xff,r=x', 'latin1'))).toBeUndefined();
  });
});

describe('client-final-message', () => {
  it.each([
    [`c=biws,r=abc,p=${PROOF}`, { binding: 'biws', nonce: 'abc', withoutProof: 'c=biws,r=abc' }],
    [`c=eSws,r=a,x=1,p=${PROOF}`, { binding: 'eSws', nonce: 'a', withoutProof: 'c=eSws,r=a,x=1' }],
  ])('%s', (text, expected) => {
    expect(readClientFinal(Buffer.from(text))).toEqual({ ...expected, proof: Buffer.from(PROOF, 'base64') });
  });

  it.each([
    '',
    'c=biws,r=abc',
    `c=biws,p=${PROOF}`,
    `r=abc,c=biws,p=${PROOF}`,
    'c=biws,r=abc,p=',
    'c=biws,r=abc,p=AAAA',
    `c=biws,r=abc,p=${PROOF}=`,
    `c=biws,r=abc,p=${PROOF},x=1`,
    `c=biws,r=abc,p=*${PROOF.slice(1)}`,
    `c=,r=abc,p=${PROOF}`,
    `c=bi ws,r=abc,p=${PROOF}`,
    `c=biws,r=abc,x=${'x'.repeat(MAX_SCRAM_MESSAGE)},p=${PROOF}`,
  ])('is refused: %j', (text) => {
    expect(readClientFinal(Buffer.from(text))).toBeUndefined();
  });
});
