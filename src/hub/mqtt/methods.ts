import type { MethodAnswer, Methods } from '../session.ts';

/** IoT Hub accepts 128 KB; the rest is for the envelope of the response. */
const maxAnswerBytes = 120 * 1024;

/** The response to a direct method: that of its handler, or an error with status 400, 404 or 500. Never rejects. */
export async function answerMethod(
  methods: Methods,
  name: string,
  body: Buffer | undefined,
): Promise<MethodAnswer> {
  const method = Object.entries(methods).find(([each]) => each === name)?.[1];
  if (!method) {
    return failure(404, `Unknown method ${name}. Available: ${Object.keys(methods).join(', ')}`);
  }
  const text = body?.toString() ?? '';
  let payload: unknown;
  try {
    payload = text === '' ? undefined : JSON.parse(text);
  } catch {
    return failure(400, 'The payload is not valid JSON');
  }
  try {
    const result = await method(payload);
    const bytes = Buffer.byteLength(JSON.stringify(result.payload) ?? '');
    if (bytes > maxAnswerBytes)
      return failure(500, `The response has ${bytes} bytes, the limit is ${maxAnswerBytes}`);
    return result;
  } catch (error) {
    return failure(500, error instanceof Error ? error.message : String(error));
  }
}

const failure = (status: number, error: string): MethodAnswer => ({ status, payload: { error } });
