/** Rows of `npm run bench:pair` that are no faults: acceptance on two disks, the wire, the guard under load. Data only. */
import type { LabSetting } from '../../lab/contract.ts'

export interface Measured {
  name: string
  setting: Omit<LabSetting, 'directory'>
  what: 'accept' | 'traffic' | 'guard'
  figures: readonly {
    name: string
    key: string
    unit: string
    least?: number
    most?: number
  }[]
}

const setting = (profile: string): Measured['setting'] => ({
  system: 'twinline',
  members: ['a', 'b'],
  profile,
  witness: false,
  driver: 'iproute2',
})

const traffic = (profile: string, most?: number): Measured => ({
  name: `traffic ${profile}`,
  setting: setting(profile),
  what: 'traffic',
  figures: [
    {
      name: 'heartbeats on the wire, both ways',
      key: 'heartbeat',
      unit: 'kB/h',
      ...(most === undefined ? {} : { most }),
    },
    { name: 'log connections, idle', key: 'replication', unit: 'kB/h' },
  ],
})

export const measuredRows: readonly Measured[] = [
  {
    name: 'accept',
    setting: setting('normal'),
    what: 'accept',
    figures: [
      { name: 'accepted on both disks, 64 connections', key: 'perSecond', unit: '1/s', least: 1_500 },
      { name: 'p99', key: 'p99', unit: 'ms', most: 100 },
      { name: 'refused', key: 'refused', unit: '', most: 0 },
    ],
  },
  {
    name: 'guard',
    setting: setting('fast'),
    what: 'guard',
    figures: [
      { name: 'resident memory', key: 'residentMB', unit: 'MB', most: 70 },
      { name: 'heartbeats late, p99.9, cores busy, snapshot', key: 'p999', unit: 'ms', most: 10 },
      { name: 'heartbeats late, most', key: 'max', unit: 'ms' },
    ],
  },
  traffic('fast'),
  traffic('normal'),
  traffic('calm'),
  traffic('telisca', 180),
]
