import type { Probe, ProbeTarget } from '../../host/network/types.ts';

/** What is wrong with an answer, as a reason and a clause for the message. */
export interface AnswerProblem {
  readonly reason: 'http_status' | 'wrong_content';
  readonly detail: string;
}

/** Judges the answer to an https target; undefined for one that is right, and for other schemes. */
export function answerProblem({ answer }: Probe, { path }: ProbeTarget): AnswerProblem | undefined {
  if (!answer) return undefined;
  const request = `GET ${path ?? '/'}`;
  const { status, contentType = '' } = answer;
  if (!isExpected(status, path)) {
    return { reason: 'http_status', detail: `${request} was answered ${status}` };
  }
  // The base of a registry's API answers in JSON or not at all (OCI distribution specification, "determining support"):
  // a page with success comes from a captive portal or from a filter that intercepts TLS.
  if (path === '/v2/' && status < 300 && /^text\/html\b/i.test(contentType)) {
    return {
      reason: 'wrong_content',
      detail: `${request} was answered with an HTML page, not by a registry`,
    };
  }
  return undefined;
}

/** A path in the policy must exist, or ask for credentials as registries do. Without one, any answer proves the way. */
const isExpected = (status: number, path: string | undefined): boolean =>
  path === undefined ? status < 500 : (status >= 200 && status < 400) || status === 401;
