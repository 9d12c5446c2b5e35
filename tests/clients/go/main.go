// franz-go: idempotent producing, a group with cooperative rebalancing, commits, admin.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var bootstrap = os.Getenv("BOOTSTRAP")

func claim(holds bool, text string, detail ...any) {
	if holds {
		fmt.Println("ok franz-go:", text)
	} else {
		fmt.Println("not ok franz-go:", text, detail)
	}
}

func client(more ...kgo.Opt) *kgo.Client {
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap)}, more...)...)
	if err != nil {
		panic(err)
	}
	return c
}

// One member of a group, polling in a goroutine of its own.
type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	seen   map[string]bool
	owned  map[int32]bool
	done   chan struct{}
}

func join(group, topic string) *member {
	m := &member{seen: map[string]bool{}, owned: map[int32]bool{}, done: make(chan struct{})}
	own := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(ctx context.Context, c *kgo.Client, partitions map[string][]int32) {
			if !held { // Who takes over begins where this member stops.
				_ = c.CommitUncommittedOffsets(ctx)
			}
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, p := range partitions[topic] {
				if held {
					m.owned[p] = true
				} else {
					delete(m.owned, p)
				}
			}
		}
	}
	m.client = client(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.HeartbeatInterval(300*time.Millisecond), kgo.OnPartitionsAssigned(own(true)), kgo.OnPartitionsRevoked(own(false)), kgo.OnPartitionsLost(own(false)))
	go func() {
		defer close(m.done)
		for {
			fetches := m.client.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			m.mutex.Lock()
			fetches.EachRecord(func(r *kgo.Record) { m.seen[fmt.Sprintf("%d@%d", r.Partition, r.Offset)] = true })
			m.mutex.Unlock()
		}
	}()
	return m
}

func (m *member) count() (seen, owned int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.seen), len(m.owned)
}

func (m *member) leave() {
	m.client.Close()
	<-m.done
}

func within(condition func() bool) bool {
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return false
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	plain := client()
	defer plain.Close()
	admin := kadm.NewClient(plain)
	created, err := admin.CreateTopic(ctx, 4, 1, nil, "go-topic")
	claim(err == nil && created.Err == nil, "a topic is created", err)

	producer := client(kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerLinger(5*time.Millisecond))
	var records []*kgo.Record
	for i := 0; i < 5000; i++ {
		records = append(records, &kgo.Record{Topic: "go-topic", Key: []byte(fmt.Sprint("key-", i%40)), Value: []byte(fmt.Sprint(i))})
	}
	claim(producer.ProduceSync(ctx, records...).FirstErr() == nil, "an idempotent producer sends 5,000 records")
	producer.Close()

	one := join("go-group", "go-topic")
	claim(within(func() bool { s, o := one.count(); return s == 5000 && o == 4 }), "one member reads all")
	two := join("go-group", "go-topic")
	claim(within(func() bool { _, a := one.count(); _, b := two.count(); return a == 2 && b == 2 }), "the second one takes half")
	two.leave()
	claim(within(func() bool { _, o := one.count(); return o == 4 }), "and gives it back when it leaves")
	claim(one.client.CommitUncommittedOffsets(ctx) == nil, "offsets are committed")
	one.leave()

	lags, err := admin.Lag(ctx, "go-group")
	total := int64(-1)
	if err == nil {
		total = lags["go-group"].Lag.Total()
	}
	claim(total == 0, "the group has no lag", err, total)
	described, err := admin.DescribeGroups(ctx, "go-group")
	claim(err == nil && described["go-group"].State == "Empty", "the group is empty", err)
	ends, err := admin.ListEndOffsets(ctx, "go-topic")
	sum := int64(0)
	ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	claim(err == nil && sum == 5000, "end offsets add up", sum)
	_, err = admin.DeleteGroups(ctx, "go-group")
	claim(err == nil, "a group is deleted", err)
	_, err = admin.DeleteTopics(ctx, "go-topic")
	claim(err == nil, "a topic is deleted", err)
}
