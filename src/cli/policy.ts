import { checks } from '../checks/index.ts';
import { policyExample, policyJsonSchema } from '../policy/example.ts';
import { type PolicyOutcome, readPolicyText } from '../policy/policy.ts';
import { readPolicyFile } from './policy-file.ts';

// So that a document of another kind does not fill a terminal.
const maxProblems = 1000;

/** `policy validate`: whether a policy file is valid. Rejects when it cannot be read. */
export const validatePolicy = async (file: string): Promise<PolicyOutcome> =>
  readPolicyText(await readPolicyFile(file), checks, maxProblems).outcome;

/** `policy schema`: the JSON Schema of policies. */
export const policySchemaText = (): string => `${JSON.stringify(policyJsonSchema(checks), undefined, 2)}\n`;

/** `policy example`: a commented policy to start from, or as plain JSON the value of the desired property `policy`. */
export function policyExampleText(json: boolean): string {
  const text = policyExample(checks);
  if (!json) return text;
  return `${JSON.stringify(readPolicyText(text, checks).document, undefined, 2)}\n`;
}
