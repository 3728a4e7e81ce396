/**
 * The composition root: builds every part of an appliance once, starts them in order and stops them in reverse.
 * No logic lives here; a part is told by a typed list of callbacks what happens elsewhere. What is not configured is not
 * even loaded: a line that waits should not pay for a broker that nobody has.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { profileDirectory } from '#config/modem-profiles.ts'
import { createSettings } from '#config/settings.ts'
import { createTrials } from '#config/trials.ts'
import type { Config, SharedConfig } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import { createDispatch, type RunningDispatch } from '#dispatch/dispatch.ts'
import { keepHouse } from '#dispatch/housekeeping.ts'
import { followLeadership } from '#dispatch/leadership.ts'
import { buildLines } from '#dispatch/line-building.ts'
import { createMemberLines, type MemberLines } from '#dispatch/member-lines.ts'
import { noReplicas, soleOwner } from '#dispatch/ownership.ts'
import { PairOwnership } from '#dispatch/pair-ownership.ts'
import { passiveLines } from '#dispatch/passive-lines.ts'
import { settleReport } from '#dispatch/reports.ts'
import { createRestoreHold } from '#dispatch/restored.ts'
import { SelfCheck } from '#dispatch/self-check.ts'
import { createStopList } from '#dispatch/stop-list.ts'
import { answerFiles } from '#intake/http/forward-files.ts'
import { answerForwarded, forwardOverLinks } from '#intake/http/forward-link.ts'
import { createOwnConfiguration } from '#intake/http/own-service.ts'
import { type HttpIntake, startHttp } from '#intake/http/server.ts'
import { createActionRecords } from '#intake/inbound/action-records.ts'
import { type Actions, createActions } from '#intake/inbound/actions.ts'
import type { InboundPublisher } from '#intake/inbound/perform.ts'
import { createReceiver } from '#intake/inbound/receiver.ts'
import type { Mqtt } from '#intake/mqtt/mqtt.ts'
import type { SmtpIntake } from '#intake/smtp/server.ts'
import type { LineEvents } from '#lines/contract.ts'
import { messageOf } from '#messages/message.ts'
import { createAudit } from '#notify/audit.ts'
import { checkAudit } from '#notify/audit-check.ts'
import { AUDIT_TOPIC, answerHeads, askHeads } from '#notify/audit-exchange.ts'
import { createDrillReports, type DrillReports } from '#notify/drill-reports.ts'
import { createFailoverLog } from '#notify/failover-log.ts'
import { createMetrics } from '#notify/metrics.ts'
import { createPairEvents } from '#notify/pair-events.ts'
import { pairRecords } from '#notify/pair-records.ts'
import type { DocumentExchange } from '#pair/documents.ts'
import type { PairedConfig } from '#pair/pair.ts'
import { begunReasons, SWITCHED } from '#pair/role/switched.ts'
import { removeHalfBackups } from '#store/backup.ts'
import { tellChanges } from '#store/changes.ts'
import { openStore } from '#store/sqlite.ts'

/** What a started appliance offers to the command that started it. */
export interface Appliance {
  /** URLs that it listens on, ports resolved. */
  addresses: string[]
  /** With which the first user of the panel is made; undefined once there is one. */
  setupCode(): string | undefined
  /** False when the delivery loop no longer turns: the watchdog's question. */
  alive(): boolean
  stop(): Promise<void>
}

interface Options {
  log: Log
  /** What is logged from here on. */
  setLevel(level: SharedConfig['log']['level']): void
  /** The configuration file that it runs with; absent in a trial without one. */
  file?: string
  /** The newest lines of the log, oldest first. */
  recent(): string[]
  /**
   * Asked to stop this appliance and to start one anew from the file.
   * @param changed the file was replaced just now: should it not let the appliance start, the one before is right
   */
  restart(changed: boolean): void
  /** Told when the appliance cannot go on, e.g. because the store's worker died. */
  onFailure(error: Error): void
}

const root = join(import.meta.dirname, '..')

export function version(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}

export async function startAppliance(config: Config, options: Options): Promise<Appliance> {
  const started = new AsyncDisposableStack()
  try {
    return await start(config, options, started)
  } catch (error) {
    await started.disposeAsync()
    throw error
  }
}

/** @param started gets what stops each part; it is undone in reverse order */
async function start(config: Config, options: Options, started: AsyncDisposableStack): Promise<Appliance> {
  const { node } = config
  const { log, setLevel, onFailure } = options
  // From here on until everything is built, what one part says to a later one finds nobody.
  const late: Late = {}
  const opened = await openStore({ directory: config.data, node, reserve: config.reserve, onFailure })
  started.defer(() => opened.close())
  // Only now: with the store open nobody else works in the directory.
  await removeHalfBackups(config.data)
  const store = tellChanges(opened, {
    accepted(acceptance) {
      late.mqtt?.accepted(acceptance)
      late.http?.live.message(acceptance.message.id)
    },
    recorded(change) {
      late.mqtt?.recorded(change)
      late.http?.live.message(messageOf(change.delivery))
    },
  })
  const clock = systemClock(store.lastLogged, (byMs) => {
    log.warn(
      { byMs },
      'the system clock was corrected; what was accepted since the start keeps its time left',
    )
    void store.shiftTimes(startedAt, byMs).catch(onFailure)
  })
  const startedAt = clock.now()
  const audit = createAudit({ store, node, clock, log, written: () => late.http?.live.audit() })
  started.defer(() => audit.settled())
  const failover = createFailoverLog({ directory: config.data, store, node, clock, log })
  started.defer(() => failover.settled())
  const settings = await createSettings({ config, store, clock, log })
  const follow = ({ reserve, log: { level } }: SharedConfig) => {
    setLevel(level)
    void store.setReserve(reserve).catch(onFailure)
  }
  follow(settings.current())
  started.defer(settings.subscribe(follow))

  const trials = await createTrials({
    settings,
    store,
    clock,
    log,
    undone: ({ revision }) =>
      audit.write('rollback', 'settings-rolled-back', `revision ${revision} was not confirmed in time`),
  })
  started.defer(async () => trials.stop())

  const events = createPairEvents(log)
  const pair = isPaired(config)
    ? await (await import('#pair/pair.ts')).startPair({
        config,
        store,
        clock,
        log,
        events: {
          ...events.events,
          releasing: () => {
            if (!config.pair.vip) return
            late.http?.reset(config.pair.vip.address)
            late.smtp?.reset(config.pair.vip.address)
          },
          members: (joined) => {
            if (!joined) void settings.publish(node).catch(onFailure)
          },
        },
        problem: () => late.check?.problem(),
        linesHealthy: () => late.check?.linesHealthy() ?? 0,
        revision: () => settings.head(),
        conflicts: async () => settings.conflicts(),
        audit: (who, what, text) => audit.write(who, what, text),
      })
    : undefined
  if (pair) started.defer(() => pair.stop())
  const stops = await createStopList({ store, clock })
  store.onMerged(({ queue, users, members, revisions, inbox, facts, audit: told, failover: lines }) => {
    if (queue) late.dispatch?.loop.wake()
    if (members) void pair?.membership.reload().catch(onFailure)
    if (revisions) {
      const tell = () => late.http?.live.configuration(settings.head())
      void settings.refresh().then(tell).catch(onFailure)
    }
    if (queue || facts || inbox) late.documents?.wake()
    if (facts) void late.memberLines?.refresh().catch(onFailure)
    if (inbox) late.actions?.wake()
    if (facts) void stops.refresh().catch(onFailure)
    if (facts) void trials.refresh().catch(onFailure)
    if (facts) void late.drills?.refresh().catch(onFailure)
    failover.merged(lines)
    const { http } = late
    if (http === undefined) return
    // Whoever is told of it asks, and is to see what it is about.
    const tellAudit = () => (told ? http.live.audit() : undefined)
    void http.merged({ users, facts }).then(tellAudit).catch(onFailure)
    if (queue || inbox) http.live.message()
    for (const line of lines) http.live.failover(line)
  })

  const received = () => {
    late.actions?.wake()
    late.http?.live.message()
  }
  const receiver = createReceiver({ node, store, clock, log, received })
  started.defer(() => receiver.stop())
  started.defer(keepHouse({ store, clock, log, retention: () => settings.current().retention }))

  const lineEvents: LineEvents = {
    ready(line) {
      late.dispatch?.loop.lineReady(line)
      late.http?.live.changed()
    },
    down(line) {
      late.dispatch?.loop.lineDown(line)
      late.http?.live.changed()
    },
    inbound: (part) => receiver.receive(part),
    report: (report) => settleReport(report, { node, store, clock, log }),
    call: (line) => log.info({ line }, 'an incoming call was ended'),
  }
  const built = await buildLines({
    config,
    profiles: profileDirectory,
    pair,
    store,
    clock,
    log,
    reserve: () => settings.current().reserve,
    events: lineEvents,
    receive: receiver.receive,
  })
  const { lines, fax } = built
  if (built.exchange) late.documents = built.exchange
  started.defer(() => built.stop())

  const ownership = pair
    ? new PairOwnership(
        {
          node,
          mode: pair.config.mode,
          store,
          clock,
          log,
          transmitUntil: pair.transmitUntil,
          members: pair.members,
          connected: pair.connected,
          synchronised: () => pair.replication.synchronised(),
          grantWait: pair.config.profile.grantWait,
        },
        pair.role(),
      )
    : undefined
  const memberLines =
    pair && (await createMemberLines({ node, lines: config.lines, store, others: () => pair.others() }))
  if (memberLines) late.memberLines = memberLines
  const restored = await createRestoreHold({
    store,
    clock,
    log,
    ...(pair
      ? {
          membersAnswered: () =>
            pair.replication.synchronised() &&
            pair.replication.views().some(({ state }) => state === 'current'),
        }
      : {}),
    released: () => late.dispatch?.loop.wake(),
  })
  started.defer(async () => restored.stop())
  const dispatch = createDispatch({
    config: { ...config, ...settings.current() },
    store,
    clock,
    log,
    ownership: restored.flagging(ownership ?? soleOwner(node)),
    replicas: pair?.replication ?? noReplicas,
    lines,
    removed: () => pair?.membership.standing() === 'removed',
    stops,
    ...(built.exchange ? { documents: built.exchange } : {}),
    ...(memberLines ? { memberLines } : {}),
  })
  late.dispatch = dispatch
  late.check = new SelfCheck(lines, clock, () => dispatch.loop.diskRefuses)
  await dispatch.loop.start()
  started.defer(() => dispatch.stop())
  started.defer(settings.subscribe((current) => void dispatch.configure(current).catch(onFailure)))

  const role = () => {
    const now = pair?.role().role
    return now === undefined || now === 'active' || now === 'single' ? 'ACTIVE' : 'STANDBY'
  }
  const metrics = createMetrics({ store, lines: () => lines, clock, node, version: version(), role })
  const mailer = config.mail && (await import('#notify/mail.ts')).createMailer(config.mail)
  if (mailer) started.defer(async () => mailer.close())
  const inboundEvents: InboundPublisher[] = []
  const actions = createActions({
    store,
    dispatch,
    stops,
    clock,
    log,
    audit,
    metrics,
    mailer,
    ...(fax ? { pdf: fax.pdf } : {}),
    webhook: config.webhook,
    publishers: inboundEvents,
    settings: () => settings.current().inbound,
    active: () => role() === 'ACTIVE',
  })
  late.actions = actions
  started.defer(() => actions.stop())
  // Another member may have accepted what this one has to tell about.
  if (config.compat !== undefined || pair !== undefined) {
    const { Callbacks } = await import('#intake/compat/callbacks.ts')
    const callbacks = new Callbacks({ store, clock, log, active: () => role() === 'ACTIVE' })
    callbacks.start()
    started.defer(() => callbacks.stop())
  }
  const drills = pair && createDrillReports({ node, store, clock, log, status: () => pair.control.status() })
  if (drills) {
    late.drills = drills
    await drills.refresh()
    started.defer(async () => drills.stop())
  }
  const own = createOwnConfiguration({
    file: options.file,
    clock,
    log,
    restart: options.restart,
    undone: () => audit.write('rollback', 'file-reverted', `the configuration file of ${node} was put back`),
  })
  started.defer(async () => own.stop())
  const ldap =
    config.ldap &&
    (await import('#intake/ldap/import.ts')).createLdapImport({ config: config.ldap, settings, clock, log })
  if (ldap) started.defer(() => ldap.stop())
  const http = await startHttp({
    own,
    backup: { directory: config.data, restored },
    support: { directory: config.data, recent: options.recent },
    config,
    dispatch,
    store,
    clock,
    log,
    metrics,
    version: version(),
    node,
    role,
    settings,
    trials,
    storm: dispatch.storm,
    ...(ldap ? { ldap } : {}),
    ...(fax ? { documents: fax.documents } : {}),
    withoutLine: dispatch.withoutLine,
    check: dispatch.check,
    modems: async () => {
      const { heldModems, searchModems } = await import('#dispatch/modem-search.ts')
      return searchModems({ lines: config.lines, known: heldModems(lines), profiles: profileDirectory })
    },
    inbound: { actions: createActionRecords(store, clock, (entry) => actions.reload(entry)), stops },
    records: {
      audit,
      failover,
      read: store.audit,
      lastSwitch: () => store.newestFailover(SWITCHED, begunReasons),
      check: () =>
        checkAudit(store, node, async (heads) =>
          pair ? askHeads(pair.others(), pair.replication, heads) : alone,
        ),
    },
    ...(pair
      ? {
          pair: {
            control: pair.control,
            config: pair.config,
            toStart: config.lines.filter((line) => line.passive !== undefined).length,
            ...(drills === undefined ? {} : { drills }),
          },
          forward: forwardOverLinks(node, pair.role, pair.replication),
        }
      : {}),
    panel: join(root, 'dist', 'panel'),
    ready: () =>
      lines.some((line) => line.status().state === 'ready')
        ? { ready: true }
        : { ready: false, reason: lines.length === 0 ? 'no line is configured' : 'no line is ready' },
  })
  late.http = http
  // What was merged while it started.
  await http.merged({ users: true, facts: true })
  started.defer(settings.subscribe(() => http.live.configuration(settings.head())))
  started.defer(() => http.stop())
  if (config.smtp) {
    const { startSmtp } = await import('#intake/smtp/server.ts')
    const smtp = await startSmtp({
      smtp: config.smtp,
      config,
      dispatch,
      log,
      tokens: http.tokens,
      metrics,
      ...(fax ? { documents: fax.documents } : {}),
    })
    late.smtp = smtp
    started.defer(() => smtp.stop())
  }
  const modbus = config.modbus
    ? await (await import('#intake/modbus/modbus.ts')).startModbus({
        config: config.modbus,
        dispatch,
        store,
        clock,
        log,
        metrics,
        lines: () => lines,
        active: () => role() === 'ACTIVE',
        mayWrite: config.pair?.allow.send,
      })
    : undefined
  if (modbus) started.defer(() => modbus.stop())
  if (config.mqtt) {
    const own = { config: config.mqtt, node, version: version(), lines: () => lines, role }
    const { startMqtt } = await import('#intake/mqtt/mqtt.ts')
    const mqtt = startMqtt({ ...own, dispatch, store, clock, log, metrics })
    late.mqtt = mqtt
    started.defer(() => mqtt.stop())
    inboundEvents.push((event) => mqtt.inbound(event))
  }
  /** What asks or subscribes does so on one member only, or everybody would get its alerts twice. */
  const followRole = (active: boolean) => {
    actions.wake()
    modbus?.follow(active)
    ldap?.follow(active)
    trials.follow(active)
    late.mqtt?.follow(active)
  }
  if (!pair) followRole(true)
  for (const line of lines) line.start()

  if (pair && ownership) {
    answerForwarded(pair.replication, http.execute)
    const closeFiles = answerFiles(pair.replication, http.executeFile)
    started.defer(async () => closeFiles())
    pair.replication.handle(AUDIT_TOPIC, answerHeads(store))
    const passive = passiveLines(config.lines, lines)
    events.add('dispatch', followLeadership({ ownership, loop: dispatch.loop, passive, log }))
    events.add('intake', { role: ({ role: now }) => followRole(now === 'active' || now === 'single') })
    events.add('panel', {
      role: http.live.changed,
      signal: http.live.changed,
      alarm: http.live.alarm,
      failover: (text) => http.live.failover({ origin: node, at: clock.now(), text }),
    })
    if (drills) events.add('drills', { role: drills.role })
    events.add('records', pairRecords({ node, audit, failover, log }))
    // Last: whoever gets the address must find somebody who answers there.
    pair.begin()
    started.defer(() => pair.leave())
  }

  return {
    addresses: [...http.addresses, ...(late.smtp ? [late.smtp.address] : []), ...(modbus?.addresses ?? [])],
    alive: () => dispatch.loop.alive(),
    setupCode: http.setupCode,
    stop: () => started.disposeAsync(),
  }
}

/** Parts that earlier ones speak to. */
interface Late {
  drills?: DrillReports
  dispatch?: RunningDispatch
  actions?: Actions
  http?: HttpIntake
  smtp?: SmtpIntake
  check?: SelfCheck
  mqtt?: Mqtt
  documents?: DocumentExchange
  memberLines?: MemberLines
}

const isPaired = (config: Config): config is PairedConfig => config.pair !== undefined
const alone = { held: new Map(), silent: [] }
