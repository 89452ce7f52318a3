/** The day on which this table was compared with its sources. */
export const tableDate = '2026-11-24';

/**
 * The last supported day of each line; `ended` where only that is known, `open` where no end has been announced. A month without
 * a day is its last day. Sources: [1] "Azure IoT Edge versions" in
 * Microsoft's documentation; [2] endoflife.date; [3] releases of Azure/iotedge-eflow; [4] moby, project/BRANCHES-AND-TAGS.md;
 * [5] dotnet-docker, discussion 7186.
 */
export const supportTable: Readonly<Record<string, string>> = {
  // [1] [2]
  'iotedge 1.1': '2022-12-13',
  'iotedge 1.4': '2024-11-12',
  'iotedge 1.5': '2026-11-10',
  'iotedge 1.6': '2028-11-14',
  // [1] [3]; the end of 1.6 has not been announced.
  'eflow 1.1': '2022-12-13',
  'eflow 1.4': '2024-11-12',
  'eflow 1.5': '2026-11-10',
  'eflow 1.6': 'open',
  // [4] [2]
  'engine 20.10': '2023-12-10',
  'engine 23': '2025-05-19',
  'engine 24': '2024-06-30',
  'engine 25': '2026-12-04',
  'engine 26': 'ended',
  'engine 27': '2025-05-03',
  'engine 28': '2026-05-13',
  'engine 29': 'open',
  // [5]
  'mariner 2.0': 'ended',
  // No end has been announced.
  'azurelinux 3.0': 'open',
  // [2], standard support
  'ubuntu 18.04': '2023-05-31',
  'ubuntu 20.04': '2025-05-31',
  'ubuntu 22.04': '2027-04-30',
  'ubuntu 24.04': '2029-05-31',
  'ubuntu 26.04': '2031-04-30',
  // [2], with long-term support
  'debian 10': '2024-06-30',
  'debian 11': '2026-08-31',
  'debian 12': '2028-06-30',
  'debian 13': '2030-06-30',
  // [2], maintenance support
  'rhel 8': '2029-05-31',
  'rhel 9': '2032-05-31',
  'rhel 10': '2035-05-31',
};
