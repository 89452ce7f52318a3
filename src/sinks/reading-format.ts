import type { Reading } from '../check.ts';

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A reading as people write it, by the unit at the end of its gauge's name: `3.1 GiB`, `6.2 ms`, `12 d 4 h`. */
export function describeValue({ gauge, value }: Pick<Reading, 'gauge' | 'value'>): string {
  if (gauge.endsWith('_timestamp_seconds')) return unixTime(value);
  if (gauge.endsWith('_seconds')) return duration(value);
  if (gauge.endsWith('_bytes')) return bytes(value);
  if (/_(?:readonly|success|running|connected)$/.test(gauge)) return value === 1 ? 'yes' : 'no';
  return plainNumber(value);
}

/** At most three decimals, thousands separated. `toLocaleString` would load ICU's data: 7 MB of memory. */
function plainNumber(value: number): string {
  // What is larger is written with an exponent.
  if (Math.abs(value) >= 1e21) return String(value);
  const [whole = '', fraction] = String(Number(value.toFixed(3))).split('.');
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A moment to the second: `2026-11-21 20:30:00 UTC`. */
export const moment = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

const unixTime = (seconds: number): string => {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : moment(date.toISOString());
};

function bytes(value: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10));
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

function duration(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? '-' : '';
  if (size < 1e-3) return `${sign}${(size * 1e6).toFixed(size < 1e-5 ? 1 : 0)} µs`;
  if (size < 1) return `${sign}${(size * 1e3).toFixed(size < 0.1 ? 1 : 0)} ms`;
  if (size < 120) return `${sign}${size.toFixed(1)} s`;
  const minutes = Math.floor(size / 60);
  if (minutes < 120) return `${sign}${minutes} min ${Math.floor(size % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${sign}${hours} h ${minutes % 60} min`;
  return `${sign}${Math.floor(hours / 24)} d ${hours % 24} h`;
}
