/**
 * What Home Assistant is told so that it shows an appliance by itself: one retained document an entity, as its manual
 * says under "MQTT Discovery" (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery). Pure.
 */
export interface Announcement {
  topic: string
  payload: object
}

export interface Announced {
  prefix: string
  topic: string
  node: string
  version: string
  lines: readonly string[]
  /** Plain text finds a recipient, so a notification can be sent. */
  notify: boolean
}

/** Object ids hold letters, digits, - and _ only. */
const plain = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, '_')

export const nodeTopic = (topic: string, node: string): string => `${topic}/node/${node}`

export function announcements({ prefix, topic, node, version, lines, notify }: Announced): Announcement[] {
  const base = `twinline_${plain(node)}`
  const own = nodeTopic(topic, node)
  const device = {
    identifiers: [base],
    name: `twinline ${node}`,
    manufacturer: 'twinline',
    sw_version: version,
  }
  const sensor = (id: string, name: string, more: object): Announcement => ({
    topic: `${prefix}/sensor/${base}/${id}/config`,
    payload: {
      unique_id: `${base}_${id}`,
      name,
      device,
      availability_topic: `${own}/status`,
      ...more,
    },
  })
  const service = `twinline_${plain(topic)}`
  const notifier: Announcement = {
    topic: `${prefix}/notify/${service}/config`,
    payload: {
      unique_id: service,
      name: 'SMS',
      // The members of a pair announce the same entity, which belongs to none of them alone.
      device: { identifiers: [service], name: topic, manufacturer: 'twinline', sw_version: version },
      command_topic: `${topic}/send`,
      qos: 1,
      retain: false,
      availability_topic: `${topic}/status`,
    },
  }
  return [
    ...(notify ? [notifier] : []),
    sensor('role', 'Role', {
      state_topic: `${own}/role`,
      device_class: 'enum',
      options: ['ACTIVE', 'STANDBY'],
      icon: 'mdi:server-network',
    }),
    sensor('queued', 'Queue', {
      state_topic: `${own}/queue`,
      value_template: '{{ value_json.queued }}',
      unit_of_measurement: 'messages',
      state_class: 'measurement',
      icon: 'mdi:message-processing',
    }),
    sensor('oldest', 'Oldest in queue', {
      state_topic: `${own}/queue`,
      value_template: '{{ value_json.oldestSeconds }}',
      device_class: 'duration',
      unit_of_measurement: 's',
      state_class: 'measurement',
    }),
    ...lines.flatMap((line) => [
      sensor(`line_${plain(line)}`, `Line ${line}`, {
        state_topic: `${own}/line/${line}`,
        value_template: '{{ value_json.state }}',
        json_attributes_topic: `${own}/line/${line}`,
        icon: 'mdi:sim',
      }),
      sensor(`signal_${plain(line)}`, `Signal ${line}`, {
        state_topic: `${own}/line/${line}`,
        value_template: '{{ value_json.signal }}',
        device_class: 'signal_strength',
        unit_of_measurement: 'dBm',
        state_class: 'measurement',
      }),
    ]),
  ]
}
