// kafkajs: produce, groups, commits, admin.
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'

const kafka = new Kafka({ clientId: 'millrace-js', brokers: [process.env.BOOTSTRAP], logLevel: logLevel.NOTHING })
const claim = (holds, text, detail) => console.log(`${holds ? 'ok' : 'not ok'} kafkajs: ${text}${holds ? '' : ': ' + JSON.stringify(detail)}`)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

async function within(condition, seconds = 60) {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await pause(50)) if (condition()) return true
  return false
}

async function join(groupId, topic) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10000, heartbeatInterval: 300, rebalanceTimeout: 10000 })
  const member = { consumer, seen: new Set(), owned: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => { member.owned = payload.memberAssignment[topic] ?? [] })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ partition, message }) => { member.seen.add(`${partition}@${message.offset}`) } })
  return member
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  claim(await admin.createTopics({ topics: [{ topic: 'js-topic', numPartitions: 4, replicationFactor: 1 }] }), 'a topic is created')
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let batch = 0; batch < 20; batch++) {
    const messages = Array.from({ length: 100 }, (_, i) => ({ key: `key-${i % 10}`, value: `${batch * 100 + i}`, headers: { batch: `${batch}` } }))
    await producer.send({ topic: 'js-topic', messages, acks: -1, compression: batch % 2 ? CompressionTypes.GZIP : CompressionTypes.None })
  }
  claim(true, 'an idempotent producer sends 2,000 records')
  const ends = await admin.fetchTopicOffsets('js-topic')
  claim(ends.reduce((sum, p) => sum + Number(p.high), 0) === 2000, 'end offsets add up', ends)

  const one = await join('js-group', 'js-topic')
  claim(await within(() => one.seen.size === 2000 && one.owned.length === 4), 'one member reads all', one.seen.size)
  const two = await join('js-group', 'js-topic')
  claim(await within(() => one.owned.length === 2 && two.owned.length === 2), 'the second one takes half', [one.owned, two.owned])
  await two.consumer.disconnect()
  claim(await within(() => one.owned.length === 4), 'and gives it back when it leaves', one.owned)
  await one.consumer.disconnect()
  const committed = await admin.fetchOffsets({ groupId: 'js-group', topics: ['js-topic'] })
  claim(committed[0].partitions.reduce((sum, p) => sum + Number(p.offset), 0) === 2000, 'offsets are committed', committed)
  const described = await admin.describeGroups(['js-group'])
  claim(described.groups[0].state === 'Empty', 'the group is empty', described.groups[0].state)
  const listed = await admin.listGroups()
  claim(listed.groups.some((g) => g.groupId === 'js-group'), 'the group is listed', listed)
  await admin.deleteGroups(['js-group'])
  const configs = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: 'js-topic' }] })
  claim(configs.resources[0].configEntries.some((e) => e.configName === 'cleanup.policy' && e.configValue === 'delete'), 'settings are described')
  await admin.deleteTopics({ topics: ['js-topic'] })
  claim(!(await admin.listTopics()).includes('js-topic'), 'a topic is deleted')
  await producer.disconnect()
  await admin.disconnect()
}

main().catch((error) => { claim(false, 'no error comes', String(error)); process.exit(1) })
