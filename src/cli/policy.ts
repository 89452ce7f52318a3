import { checks } from '../checks/index.ts';
import { policyExample, policyJsonSchema } from '../policy/example.ts';
import { readPolicy } from '../policy/policy.ts';
import { readDocument } from './machine.ts';

/** `policy validate`: what is wrong with a policy file; empty when it is valid. */
export async function validatePolicy(file: string): Promise<readonly string[]> {
  try {
    const outcome = readPolicy(await readDocument(file), checks);
    return outcome.accepted ? [] : outcome.problems;
  } catch (error) {
    // A file that is not JSON is a bad policy; one that is missing is a bad argument.
    if (error instanceof Error && error.cause instanceof SyntaxError) return [error.cause.message];
    throw error;
  }
}

/** `policy schema`: the JSON Schema of policies. */
export const policySchemaText = (): string => `${JSON.stringify(policyJsonSchema(checks), undefined, 2)}\n`;

/** `policy example`: a commented policy to start from. */
export const policyExampleText = (): string => policyExample(checks);
