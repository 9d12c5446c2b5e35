// What the files' test writes to and reads from either broker: every codec, keys, headers, idempotent producers, a group.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.serialization.*;

public class Files {
    static final int EACH = 3000, PARTITIONS = 3, COMMITTED = 1000;
    static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    static String bootstrap;

    static Map<String, Object> common(Object... more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
        for (int i = 0; i < more.length; i += 2) config.put((String) more[i], more[i + 1]);
        return config;
    }

    static void claim(boolean holds, String text, Object detail) {
        System.out.println((holds ? "ok kafka_files: " : "not ok kafka_files: ") + text + (holds ? "" : ": " + detail));
    }

    static String value(String codec, int i) { return codec + "-" + i + "-" + "x".repeat(i % 3000 * 2); }

    static void write() throws Exception {
        try (var admin = Admin.create(common())) {
            admin.createTopics(List.of(new NewTopic("files", PARTITIONS, (short) 1)
                .configs(Map.of("segment.bytes", "1048576", "retention.ms", "4611686018427")))).all().get();
        }
        for (String codec : CODECS) {
            try (var producer = new KafkaProducer<>(common("compression.type", codec, "linger.ms", 5, "acks", "all",
                     "batch.size", 16384, "max.request.size", 1000000), new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < EACH; i++) {
                    var record = new ProducerRecord<>("files", i % PARTITIONS, 1_700_000_000_000L + i, "key-" + i, value(codec, i));
                    record.headers().add("codec", codec.getBytes(StandardCharsets.UTF_8));
                    producer.send(record);
                }
                producer.flush();
            }
        }
    }

    static KafkaConsumer<String, String> consumer(String group, Object... more) {
        var config = common(more);
        config.put("group.id", group);
        config.putIfAbsent("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", false);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        var records = new ArrayList<ConsumerRecord<String, String>>();
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (records.size() < count && System.nanoTime() < deadline) consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        return records;
    }

    static void commit() {
        try (var consumer = consumer("files-group", "max.poll.records", 100)) {
            consumer.subscribe(List.of("files"));
            read(consumer, COMMITTED);
            var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
            for (int p = 0; p < PARTITIONS; p++) offsets.put(new TopicPartition("files", p), new OffsetAndMetadata(1000 + p, "at " + p));
            consumer.commitSync(offsets);
        }
    }

    // `after`: how many records were sent to partition 0 behind those of write().
    static void check(String what, int after) throws Exception {
        int all = EACH * CODECS.size();
        try (var consumer = consumer("files-fresh-" + what)) {
            consumer.subscribe(List.of("files"));
            var records = read(consumer, all + after);
            records.removeIf(record -> record.key().equals("after"));
            claim(records.size() == all, what + ": every record is read", records.size() + " of " + all);
            int wrong = 0;
            var next = new HashMap<Integer, Long>();
            for (var record : records) {
                String codec = new String(record.headers().lastHeader("codec").value(), StandardCharsets.UTF_8);
                int i = Integer.parseInt(record.key().substring(4));
                boolean right = record.value().equals(value(codec, i)) && record.timestamp() == 1_700_000_000_000L + i
                    && record.partition() == i % PARTITIONS && record.offset() == next.getOrDefault(record.partition(), 0L);
                next.put(record.partition(), record.offset() + 1);
                if (!right) wrong++;
            }
            claim(wrong == 0, what + ": keys, values, headers, times and offsets are what was written", wrong + " are not");
        }
        try (var consumer = consumer("files-group")) {
            var partitions = new HashSet<TopicPartition>();
            for (int p = 0; p < PARTITIONS; p++) partitions.add(new TopicPartition("files", p));
            var committed = consumer.committed(partitions);
            boolean same = true;
            for (var partition : partitions) {
                var offset = committed.get(partition);
                same &= offset != null && offset.offset() == 1000 + partition.partition() && offset.metadata().equals("at " + partition.partition());
            }
            claim(same, what + ": the group's committed offsets are there", committed);
            consumer.subscribe(List.of("files"));
            var records = read(consumer, 1);
            claim(!records.isEmpty() && records.stream().allMatch(r -> r.offset() >= 1000 + r.partition()), what + ": the group goes on there", records.size());
        }
        try (var producer = new KafkaProducer<>(common("acks", "all"), new StringSerializer(), new StringSerializer())) {
            var sent = producer.send(new ProducerRecord<>("files", 0, "after", "after")).get();
            claim(sent.offset() == all / PARTITIONS + after, what + ": an idempotent producer goes on behind them", sent.offset());
        }
        try (var admin = Admin.create(common())) {
            var resource = new org.apache.kafka.common.config.ConfigResource(org.apache.kafka.common.config.ConfigResource.Type.TOPIC, "files");
            var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            claim(config.get("retention.ms").value().equals("4611686018427"), what + ": the topic's settings are there", config.get("retention.ms"));
            System.out.println("id " + admin.describeTopics(List.of("files")).allTopicNames().get().get("files").topicId());
        }
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[1];
        if (args[0].equals("write")) { write(); commit(); }
        if (args[0].equals("check")) check(args[2], Integer.parseInt(args[3]));
    }
}
