// The plain Java clients: default (idempotent) producers, groups with eager, cooperative and static members, seeks by
// time, the Admin client.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.BooleanSupplier;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

public class Lab {
    static String bootstrap;

    static void claim(boolean holds, String text, Object detail) {
        System.out.println((holds ? "ok java: " : "not ok java: ") + text + (holds ? "" : ": " + detail));
    }

    static Map<String, Object> common(Object... more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
        for (int i = 0; i < more.length; i += 2) config.put((String) more[i], more[i + 1]);
        return config;
    }

    static KafkaProducer<String, String> producer(Object... more) {
        return new KafkaProducer<>(common(more), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String group, Object... more) {
        Map<String, Object> config = common(more);
        config.put("group.id", group);
        config.putIfAbsent("auto.offset.reset", "earliest");
        config.putIfAbsent("heartbeat.interval.ms", 300);
        config.putIfAbsent("session.timeout.ms", 10000);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    static boolean poll(List<KafkaConsumer<String, String>> members, List<ConsumerRecord<String, String>> into, BooleanSupplier until) {
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (System.nanoTime() < deadline) {
            for (var member : members) member.poll(Duration.ofMillis(50)).forEach(into::add);
            if (until.getAsBoolean()) return true;
        }
        return false;
    }

    static void produce(String topic, int first, int last) throws Exception {
        try (var producer = producer("linger.ms", 5)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = first; i < last; i++) sent.add(producer.send(new ProducerRecord<>(topic, "key-" + i % 20, "value-" + i)));
            for (var one : sent) one.get(30, TimeUnit.SECONDS);
        }
    }

    static void groups(String strategy, String group) {
        var read = new ArrayList<ConsumerRecord<String, String>>();
        var one = consumer(group, "partition.assignment.strategy", strategy);
        var two = consumer(group, "partition.assignment.strategy", strategy);
        one.subscribe(List.of("lab"));
        claim(poll(List.of(one), read, () -> one.assignment().size() == 4 && read.size() >= 2000), group + ": one member reads all", read.size());
        two.subscribe(List.of("lab"));
        claim(poll(List.of(one, two), read, () -> one.assignment().size() == 2 && two.assignment().size() == 2), group + ": the second one takes half", one.assignment());
        two.close();
        claim(poll(List.of(one), read, () -> one.assignment().size() == 4), group + ": and gives it back when it leaves", one.assignment());
        one.commitSync();
        var committed = one.committed(one.assignment());
        claim(committed.values().stream().mapToLong(OffsetAndMetadata::offset).sum() == 2000, group + ": commits what was read", committed);
        one.close();
        Set<String> places = read.stream().map(r -> r.partition() + "@" + r.offset()).collect(Collectors.toSet());
        claim(places.size() == 2000, group + ": every record was read", places.size());
        Map<Integer, Long> last = new HashMap<>();
        Map<String, Integer> homes = new HashMap<>();
        claim(read.stream().allMatch(r -> homes.merge(r.key(), r.partition(), (a, b) -> a.equals(b) ? a : -1) >= 0), group + ": a key stays in its partition", homes);
    }

    static void times(String topic) {
        try (var consumer = consumer("lab-times")) {
            var part = new TopicPartition(topic, 0);
            consumer.assign(List.of(part));
            consumer.seekToBeginning(List.of(part));
            var read = new ArrayList<ConsumerRecord<String, String>>();
            poll(List.of(consumer), read, () -> read.size() > 20);
            var middle = read.get(10);
            var found = consumer.offsetsForTimes(Map.of(part, middle.timestamp())).get(part);
            claim(found != null && found.offset() <= middle.offset() && found.timestamp() >= middle.timestamp(), "an offset is found by its time", found);
            consumer.seek(part, 5);
            claim(consumer.position(part) == 5, "a seek moves the position", consumer.position(part));
            var after = new ArrayList<ConsumerRecord<String, String>>();
            poll(List.of(consumer), after, () -> !after.isEmpty());
            claim(after.get(0).offset() == 5, "and the next record is that one", after.get(0).offset());
        }
    }

    static <T> String failure(KafkaFuture<T> future) throws Exception {
        try {
            future.get(30, TimeUnit.SECONDS);
            return "none";
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName();
        }
    }

    static void admin(Admin admin) throws Exception {
        claim(failure(admin.createTopics(List.of(new NewTopic("lab", 1, (short) 1))).all()).equals("TopicExistsException"), "a topic is created once", "");
        claim(failure(admin.createTopics(List.of(new NewTopic("a/b", 1, (short) 1))).all()).equals("InvalidTopicException"), "a bad name is refused", "");
        claim(failure(admin.createTopics(List.of(new NewTopic("three", 1, (short) 3))).all()).equals("InvalidReplicationFactorException"), "three replicas on one broker are refused", "");
        claim(failure(admin.createTopics(List.of(new NewTopic("bad", 1, (short) 1).configs(Map.of("no.such", "1")))).all()).equals("InvalidConfigurationException"), "an unknown setting is refused", "");
        var dry = admin.createTopics(List.of(new NewTopic("dry", 2, (short) 1)), new CreateTopicsOptions().validateOnly(true));
        claim(dry.numPartitions("dry").get() == 2 && !admin.listTopics().names().get().contains("dry"), "validateOnly creates nothing", "");
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, "lab");
        var set = new AlterConfigOp(new ConfigEntry("max.message.bytes", "2000000"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
        var entry = admin.describeConfigs(List.of(resource)).all().get().get(resource).get("max.message.bytes");
        claim(entry.value().equals("2000000") && entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "a setting is changed", entry);
        var delete = new AlterConfigOp(new ConfigEntry("max.message.bytes", null), AlterConfigOp.OpType.DELETE);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(delete))).all().get();
        entry = admin.describeConfigs(List.of(resource)).all().get().get(resource).get("max.message.bytes");
        claim(entry.isDefault() && entry.value().equals("1048588"), "and set back", entry);
        var part = new TopicPartition("lab", 0);
        long low = admin.deleteRecords(Map.of(part, RecordsToDelete.beforeOffset(7))).lowWatermarks().get(part).get().lowWatermark();
        claim(low == 7, "records are deleted up to an offset", low);
        var earliest = admin.listOffsets(Map.of(part, OffsetSpec.earliest())).all().get().get(part).offset();
        claim(earliest == 7, "and the log begins there", earliest);
        var max = admin.listOffsets(Map.of(part, OffsetSpec.maxTimestamp())).all().get().get(part);
        claim(max.offset() >= 7 && max.timestamp() > 0, "the largest timestamp is found", max);
        var described = admin.describeTopics(List.of("lab")).allTopicNames().get().get("lab");
        claim(described.partitions().size() == 4 && !described.topicId().equals(Uuid.ZERO_UUID), "a topic is described with its id", described);
        claim(failure(admin.describeTopics(List.of("nowhere")).allTopicNames()).equals("UnknownTopicOrPartitionException"), "an unknown topic is unknown", "");
        var cluster = admin.describeCluster();
        claim(cluster.nodes().get().size() == 1 && cluster.clusterId().get().length() == 22, "the cluster is described", "");
        claim(failure(admin.deleteConsumerGroups(List.of("no-group")).all()).equals("GroupIdNotFoundException"), "an unknown group cannot be deleted", "");
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(described.topicId()))).all().get();
        claim(!admin.listTopics().names().get().contains("lab"), "a topic is deleted by its id", "");
    }

    static void limits() throws Exception {
        try (var producer = producer("max.request.size", 5_000_000)) {
            producer.send(new ProducerRecord<>("lab", "x".repeat(2_000_000))).get();
            claim(false, "a record above max.message.bytes is refused", "it was taken");
        } catch (ExecutionException e) {
            claim(e.getCause() instanceof RecordTooLargeException, "a record above max.message.bytes is refused", e.getCause());
        }
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        try (var admin = Admin.create(common())) {
            admin.createTopics(List.of(new NewTopic("lab", 4, (short) 1))).all().get();
            produce("lab", 0, 2000);
            claim(true, "an idempotent producer sends 2,000 records", "");
            groups("org.apache.kafka.clients.consumer.RangeAssignor", "lab-eager");
            groups("org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "lab-cooperative");
            times("lab");
            limits();
            admin(admin);
        }
    }
}
