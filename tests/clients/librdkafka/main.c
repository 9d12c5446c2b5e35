/* librdkafka (C): an idempotent producer, two members of a group, commits. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { records = 5000, partitions = 4 };
static int delivered, failed;
static char seen[partitions][records];
static int seen_count;

static void claim(int holds, const char* text, long detail) {
    if (holds) printf("ok librdkafka: %s\n", text);
    else printf("not ok librdkafka: %s: %ld\n", text, detail);
    fflush(stdout);
}

static rd_kafka_conf_t* settings(const char* const* pairs) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char why[256];
    rd_kafka_conf_set(conf, "bootstrap.servers", getenv("BOOTSTRAP"), why, sizeof why);
    for (; *pairs; pairs += 2)
        if (rd_kafka_conf_set(conf, pairs[0], pairs[1], why, sizeof why) != RD_KAFKA_CONF_OK) puts(why), exit(1);
    return conf;
}

static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) {
    (void)client, (void)opaque;
    message->err ? failed++ : delivered++;
}

static rd_kafka_t* make(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
    char why[256];
    rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
    if (!client) puts(why), exit(1);
    return client;
}

static void create_topic(rd_kafka_t* client) {
    char why[256];
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new("c-topic", partitions, 1, why, sizeof why);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30000);
    claim(event && !rd_kafka_event_error(event), "a topic is created", 0);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static rd_kafka_t* join(void) {
    const char* const pairs[] = {"group.id", "c-group", "auto.offset.reset", "earliest", "session.timeout.ms", "10000",
                                 "heartbeat.interval.ms", "300", "partition.assignment.strategy", "cooperative-sticky", NULL};
    rd_kafka_t* client = make(RD_KAFKA_CONSUMER, settings(pairs));
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, "c-topic", RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return client;
}

static int owned(rd_kafka_t* client) {
    rd_kafka_topic_partition_list_t* list = NULL;
    rd_kafka_assignment(client, &list);
    const int count = list ? list->cnt : 0;
    if (list) rd_kafka_topic_partition_list_destroy(list);
    return count;
}

static int poll_until(rd_kafka_t* one, rd_kafka_t* two, int wanted_one, int wanted_two, int wanted_seen) {
    for (time_t deadline = time(NULL) + 60; time(NULL) < deadline;) {
        rd_kafka_t* members[] = {one, two};
        for (int i = 0; i < 2; i++) {
            if (!members[i]) continue;
            rd_kafka_message_t* message = rd_kafka_consumer_poll(members[i], 20);
            if (!message) continue;
            if (!message->err && message->offset < records && !seen[message->partition][message->offset])
                seen[message->partition][message->offset] = 1, seen_count++;
            rd_kafka_message_destroy(message);
        }
        if (owned(one) == wanted_one && (!two || owned(two) == wanted_two) && seen_count >= wanted_seen) return 1;
    }
    return 0;
}

int main(void) {
    const char* const pairs[] = {"enable.idempotence", "true", "compression.type", "snappy", "linger.ms", "5", NULL};
    rd_kafka_conf_t* conf = settings(pairs);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t* producer = make(RD_KAFKA_PRODUCER, conf);
    create_topic(producer);
    for (int i = 0; i < records; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "key-%d", i % 40), snprintf(value, sizeof value, "%d", i);
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("c-topic"), RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(value, strlen(value)),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        rd_kafka_poll(producer, 0);
    }
    rd_kafka_flush(producer, 60000);
    claim(delivered == records && failed == 0, "an idempotent producer delivers 5,000 records", delivered);
    rd_kafka_t* one = join();
    claim(poll_until(one, NULL, partitions, 0, records), "one member reads all", seen_count);
    rd_kafka_t* two = join();
    claim(poll_until(one, two, 2, 2, records), "the second one takes half", owned(two));
    rd_kafka_consumer_close(two), rd_kafka_destroy(two);
    claim(poll_until(one, NULL, partitions, 0, records), "and gives it back when it leaves", owned(one));
    const rd_kafka_resp_err_t error = rd_kafka_commit(one, NULL, 0);
    claim(error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__NO_OFFSET, "offsets are committed", error);
    rd_kafka_consumer_close(one), rd_kafka_destroy(one);
    rd_kafka_destroy(producer);
    return 0;
}
