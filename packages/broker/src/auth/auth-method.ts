import { ReasonCode } from '@tsmqtt/protocol';

/** Reason Codes of a refusal: those that both CONNACK and DISCONNECT may have (2.4). */
export const AUTH_REFUSAL_CODES = [
  ReasonCode.UNSPECIFIED_ERROR,
  ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR,
  ReasonCode.NOT_AUTHORIZED,
  ReasonCode.SERVER_BUSY,
  ReasonCode.BAD_AUTHENTICATION_METHOD,
  ReasonCode.QUOTA_EXCEEDED,
] as const;
export type AuthRefusalCode = (typeof AUTH_REFUSAL_CODES)[number];

/** Who wants in by an Authentication Method, or to prove itself again. */
export interface AuthClient {
  /** The Client Identifier, where it sent none the assigned one. */
  readonly clientId: string;
  /** User Name of the CONNECT, which nobody has checked; at a re-authentication, who it came in as. */
  readonly username: string | undefined;
  /** Password of the CONNECT; undefined at a re-authentication. */
  readonly password: Uint8Array | undefined;
  /** Address it comes from, as in the log. */
  readonly address: string;
  readonly port: number;
  /** It is connected and sent AUTH with 0x19 (4.12.1). */
  readonly isReauthentication: boolean;
}

/** What a method says to what the client sent. */
export type AuthStep =
  /** The client is sent `data` in an AUTH packet with 0x18, and `answer` gets what it says to it. */
  | {
      readonly result: 'challenge';
      /** At most 65,535 bytes. */
      readonly data?: Uint8Array | undefined;
      /** @param data Authentication Data of the client's AUTH; undefined where it has none. */
      answer(data: Uint8Array | undefined): AuthStep | Promise<AuthStep>;
    }
  /** The client is who it says: `data` goes with CONNACK, or with AUTH where it was a re-authentication. */
  | {
      readonly result: 'accept';
      /**
       * Its name for access rules and the log, whatever User Name its CONNECT had; undefined: anonymous. A
       * re-authentication cannot change it.
       */
      readonly username: string | undefined;
      readonly data?: Uint8Array | undefined;
      /** Given back to `stillAccepts`. */
      readonly evidence?: unknown;
    }
  /** The connection ends with this Reason Code of CONNACK, or DISCONNECT at a re-authentication; default 0x87. */
  | { readonly result: 'refuse'; readonly reasonCode?: AuthRefusalCode | undefined };

/**
 * A method of enhanced authentication (MQTT 5, 4.12). It may answer at once or later: what the client sends behind
 * CONNECT waits, everybody else is served. Each answer, the client's as well as the method's, has 30 s.
 *
 * A method that throws, rejects or answers with anything else refuses with 0x80, and the log says why.
 */
export interface AuthMethod {
  /** What clients name as Authentication Method. */
  readonly name: string;
  /**
   * Begins an exchange.
   *
   * @param data Authentication Data of the CONNECT, or of the AUTH that asks for re-authentication.
   */
  start(client: AuthClient, data: Uint8Array | undefined): AuthStep | Promise<AuthStep>;
  /**
   * After a reload: whether somebody whom it accepted before still may be connected. Without it all may.
   *
   * @param evidence what the accepting step had.
   */
  stillAccepts?(username: string | undefined, evidence: unknown): boolean | Promise<boolean>;
  /** Steps that may be under way at a time, over all connections; more are refused with 0x89. Default 64. */
  readonly maxPending?: number;
}
