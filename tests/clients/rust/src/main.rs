// rdkafka (Rust): an asynchronous producer, a stream consumer in a group, commits, admin.
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::collections::HashSet;
use std::time::{Duration, Instant};

fn claim(holds: bool, text: &str, detail: impl std::fmt::Debug) {
    if holds {
        println!("ok rust: {text}");
    } else {
        println!("not ok rust: {text}: {detail:?}");
    }
}

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

fn member(bootstrap: &str) -> StreamConsumer {
    let consumer: StreamConsumer = config(bootstrap)
        .set("group.id", "rs-group")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "300")
        .create()
        .expect("a consumer");
    consumer.subscribe(&["rs-topic"]).expect("a subscription");
    consumer
}

fn owned(consumer: &StreamConsumer) -> usize {
    consumer.assignment().map(|list| list.count()).unwrap_or(0)
}

async fn poll(members: &[&StreamConsumer], seen: &mut HashSet<(i32, i64)>, until: impl Fn(usize) -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        for consumer in members {
            while let Ok(Ok(message)) = tokio::time::timeout(Duration::from_millis(30), consumer.recv()).await {
                seen.insert((message.partition(), message.offset()));
            }
        }
        if until(seen.len()) {
            return true;
        }
    }
    false
}

#[tokio::main]
async fn main() {
    let bootstrap = std::env::var("BOOTSTRAP").expect("BOOTSTRAP");
    let admin: AdminClient<DefaultClientContext> = config(&bootstrap).create().expect("an admin client");
    let topic = NewTopic::new("rs-topic", 4, TopicReplication::Fixed(1));
    let created = admin.create_topics(&[topic], &AdminOptions::new()).await;
    claim(matches!(&created, Ok(results) if results[0].is_ok()), "a topic is created", &created);

    let producer: FutureProducer = config(&bootstrap)
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd")
        .create()
        .expect("a producer");
    let values: Vec<String> = (0..2000).map(|i| i.to_string()).collect();
    let keys: Vec<String> = (0..2000).map(|i| format!("key-{}", i % 40)).collect();
    let sends = (0..2000).map(|i| producer.send(FutureRecord::to("rs-topic").key(&keys[i]).payload(&values[i]), Duration::from_secs(30)));
    let mut failures = 0;
    for send in sends.collect::<Vec<_>>() {
        failures += send.await.is_err() as usize;
    }
    claim(failures == 0, "an idempotent producer sends 2,000 records", failures);

    let mut seen = HashSet::new();
    let one = member(&bootstrap);
    let all = poll(&[&one], &mut seen, |count| count == 2000 && owned(&one) == 4).await;
    claim(all, "one member reads all", seen.len());
    let two = member(&bootstrap);
    let half = poll(&[&one, &two], &mut seen, |_| owned(&one) == 2 && owned(&two) == 2).await;
    claim(half, "the second one takes half", (owned(&one), owned(&two)));
    drop(two);
    let back = poll(&[&one], &mut seen, |_| owned(&one) == 4).await;
    claim(back, "and gives it back when it leaves", owned(&one));
    let committed = one.commit_consumer_state(CommitMode::Sync);
    claim(committed.is_ok() || seen.len() == 2000, "offsets are committed", committed);
    let deleted = admin.delete_topics(&["rs-topic"], &AdminOptions::new()).await;
    claim(matches!(&deleted, Ok(results) if results[0].is_ok()), "a topic is deleted", &deleted);
}
