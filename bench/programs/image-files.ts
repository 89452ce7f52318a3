import { readdirSync } from 'node:fs';

const notInImage = ['bench.js', 'demo.js', 'scrape-client.js', 'simulator.js'];

/** The names of the files in dist/ that the image contains. */
export const imageFilesIn = (dist: string): string[] =>
  readdirSync(dist).filter((file) => !notInImage.includes(file));
