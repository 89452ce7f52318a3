import * as z from 'zod';
import { CannotTell, defineCheck, type Wrong } from '../../check.ts';
import type { EdgeModule } from '../../host/edge/types.ts';
import { shellQuote } from '../../shell-quote.ts';
import { type ImageReference, parseImage } from '../params/image-reference.ts';

const reasons = ['latest', 'tag_only', 'registry_not_allowed', 'version_mismatch'] as const;
type Problem = Omit<Wrong<(typeof reasons)[number]>, 'status'>;

const registry = z
  .string()
  .regex(
    /^(\$upstream|[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i,
    'must be a host, with its port where images name one, or $upstream',
  )
  .describe('host[:port], or $upstream');

interface Item {
  readonly target: string;
  readonly image: string;
  /** edgeAgent's, for edgeHub. */
  readonly agentImage: string | undefined;
}

/** Judges the references that modules were deployed with. */
export const imagePinning = defineCheck({
  id: 'imagePinning',
  title: 'Every module runs an image that is pinned by its digest',
  params: z.strictObject({
    severity: z.enum(['warn', 'fail']).default('warn').describe('The status of an image that is not.'),
    registries: z
      .array(registry)
      .max(64)
      .default([])
      .describe('The registries that images may come from; empty: any.'),
  }),
  uses: ['modules'],
  reasons,

  needs: () => [{ kind: 'socket', socket: 'workload' }],

  async subjects(_, host, signal): Promise<readonly Item[]> {
    const { modules } = await host.modules(signal);
    const agentImage = modules.find(({ name }) => name === 'edgeAgent')?.image;
    return modules.map(({ name, image }: EdgeModule) => ({
      target: name,
      image,
      agentImage: name === 'edgeHub' ? agentImage : undefined,
    }));
  },

  async examine({ target, image, agentImage }: Item, { severity, registries }) {
    if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) {
      return { status: 'pass', message: `${target} runs the local image ${image.slice(0, 19)}…, by its id` };
    }
    const reference = parseImage(image);
    if (!reference) {
      throw new CannotTell(
        'unreadable',
        `The image of ${target} is not a reference that can be read: ${clip(image)}`,
      );
    }
    const problems = [
      registryProblem(target, reference, registries),
      latestProblem(target, image, reference),
      lineProblem(image, agentImage),
      tagProblem(target, image, reference),
    ];
    const [worst, ...also] = problems
      .filter((problem) => problem !== undefined)
      .map((problem) => ({ status: severity, ...problem }));
    if (worst) return { ...worst, also };
    return { status: 'pass', message: `${target} runs ${nameOf(reference)}, pinned by its digest` };
  },
});

function registryProblem(
  target: string,
  reference: ImageReference,
  registries: readonly string[],
): Problem | undefined {
  const allowed = registries.map((each) => each.toLowerCase());
  const { registry: from } = reference;
  // A parent gateway is the same whichever port it serves images on.
  const upstream = /^\$upstream(:\d+)?$/.test(from) ? '$upstream' : from;
  if (allowed.length === 0 || allowed.includes(from) || allowed.includes(upstream)) return undefined;
  return {
    reason: 'registry_not_allowed',
    message: `The image of ${target} comes from ${from}, which is not among the registries that are allowed`,
    remedy: `Push ${nameOf(reference)} to one of ${listed(registries)} and deploy it from there, or add "${from}" to checks.imagePinning.registries of the policy`,
  };
}

function latestProblem(target: string, image: string, { tag, digest }: ImageReference): Problem | undefined {
  if (digest !== undefined || (tag !== undefined && tag !== 'latest')) return undefined;
  return {
    reason: 'latest',
    message: `${target} runs ${clip(image)}: ${tag === undefined ? 'no tag means latest, and ' : ''}what latest is changes without a deployment`,
    remedy: pinIt(image),
  };
}

function lineProblem(image: string, agentImage: string | undefined): Problem | undefined {
  const hub = lineOf(image);
  const agent = agentImage === undefined ? undefined : lineOf(agentImage);
  if (hub === undefined || agent === undefined || hub === agent) return undefined;
  return {
    reason: 'version_mismatch',
    message: `edgeHub is ${hub} and edgeAgent is ${agent}: they are released and supported together`,
    remedy:
      'Deploy both in the same version: set "image" of edgeAgent and of edgeHub under "systemModules" of the deployment',
  };
}

/** `1.5` of a tag such as `1.5.12-linux-amd64`; undefined where the reference does not say. */
function lineOf(image: string): string | undefined {
  const { tag, digest } = parseImage(image) ?? {};
  return digest === undefined ? /^v?(\d{1,4}\.\d{1,4})(?![\d])/.exec(tag ?? '')?.[1] : undefined;
}

function tagProblem(target: string, image: string, { tag, digest }: ImageReference): Problem | undefined {
  if (digest !== undefined || tag === undefined || tag === 'latest') return undefined;
  return {
    reason: 'tag_only',
    message: `${target} runs ${clip(image)}: a tag can be moved to another image`,
    remedy: pinIt(image),
  };
}

/** edgeAgent refuses a reference with both a tag and a digest. */
const pinIt = (image: string): string => {
  const { registry: from, repository } = parseImage(image) ?? { registry: '', repository: image };
  const name = from === 'docker.io' ? repository : `${from}/${repository}`;
  return `Deploy ${name}@sha256:DIGEST, without a tag, as edgeAgent refuses both together. The digest of the image that runs: \`sudo docker image inspect --format '{{index .RepoDigests 0}}' ${shellQuote(image)}\``;
};

const nameOf = ({ registry: from, repository }: ImageReference): string => `${from}/${repository}`;

const clip = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

/** `a, b or c` */
const listed = (parts: readonly string[]): string => parts.join(', ').replace(/, (?=[^,]*$)/, ' or ');
