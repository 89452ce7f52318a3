import { shellQuote } from '../../shell-quote.ts';
import { couldNotStart } from './exit-code.ts';

/** `Read its log: …`, and what an exit code or the module itself makes likely. */
export function findCause(name: string, exitCode: number | undefined): string {
  const log = `Read its log: \`sudo iotedge logs ${shellQuote(name)} --tail 100\``;
  if (name === 'edgeAgent') {
    return `${log}. edgeAgent also ends again and again where createOptions of a module in the deployment are malformed: they must be the text of one JSON object`;
  }
  if (exitCode === 137)
    return `${log}. See whether memory ran out: \`sudo dmesg | grep -iE 'out of memory|oom'\``;
  if (couldNotStart(exitCode)) {
    return `${log}. It has none where the container could not start: read why in edgeAgent's, \`sudo iotedge logs edgeAgent --tail 100\`, and check the command and the createOptions in the deployment`;
  }
  return log;
}

/** For a module that ends without an error and is started again at once. */
export const endsByItself = (name: string): string =>
  `${findCause(name, 0)}. Correct the module so that it keeps running; if it is meant to end, set its "restartPolicy" to "never" in the deployment`;

/** Once the cause is found. */
export const startAgain = (name: string): string =>
  `then start it again: \`sudo iotedge restart ${shellQuote(name)}\``;

/** A dead container is one that the engine could not remove. */
export const removeDead = (name: string): string =>
  `Remove its container, so that edgeAgent creates it again: \`sudo docker rm --force ${shellQuote(name)}\`. If that fails, restart the engine, and all modules with it: \`sudo systemctl restart docker\``;

/** For a module that is not listed. */
export const findMissing =
  'Look for it in `sudo iotedge list`, and read why edgeAgent does not create it: `sudo iotedge logs edgeAgent --tail 100`. If it is no longer in the deployment, remove it from "expected"';
