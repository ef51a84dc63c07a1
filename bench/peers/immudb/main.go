// Sends payments to a running immudb as entries of its key-value store, each under a key of its own,
// and says how long that took, as JSON. A batch is one transaction of immudb; it is answered after
// immudb has synced it. Batches are made before the clock starts.
//
//	immudb-client PORT COUNT BATCH CONNECTIONS BYTES SERVER
//
// SERVER is the server's process: its CPU is read when the clock starts and when it stops, since
// logging in costs it much.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/codenotary/immudb/pkg/api/schema"
	"github.com/codenotary/immudb/pkg/client"
	// Makes go.sum cover the server too, which is built from this module.
	_ "github.com/codenotary/immudb/cmd/immudb/command"
)

// outcome is what is told: how many entries, in how many seconds of the clock, and CPU seconds of
// this process and the server's.
type outcome struct {
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"`
	Client  float64 `json:"client_s"`
	Server  float64 `json:"server_s"`
}

const ticksPerSecond = 100

func main() {
	numbers := make([]int, 6)
	for place := range numbers {
		number, err := strconv.Atoi(os.Args[1+place])
		must(err)
		numbers[place] = number
	}
	port, count, batch, connections, size := numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
	batches := prepare(count, batch, size)
	clients := make([]client.ImmuClient, connections)
	for place := range clients {
		clients[place] = open(port)
	}
	queue := make(chan *schema.SetRequest, len(batches))
	for _, one := range batches {
		queue <- one
	}
	close(queue)
	own, server, begun := used(), usedBy(numbers[5]), time.Now()
	var wait sync.WaitGroup
	for _, one := range clients {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for request := range queue {
				_, err := one.SetAll(context.Background(), request)
				must(err)
			}
		}()
	}
	wait.Wait()
	seconds := time.Since(begun).Seconds()
	found := outcome{count, seconds, used() - own, usedBy(numbers[5]) - server}
	for _, one := range clients {
		must(one.CloseSession(context.Background()))
	}
	must(json.NewEncoder(os.Stdout).Encode(found))
}

// prepare makes entries whose values can't be compressed.
func prepare(count, batch, size int) []*schema.SetRequest {
	run := time.Now().UnixNano()
	var found []*schema.SetRequest
	for at := 0; at < count; at += batch {
		request := &schema.SetRequest{}
		for place := at; place < min(at+batch, count); place++ {
			value := make([]byte, size)
			for each := range value {
				value[each] = byte(rand.Int())
			}
			key := []byte(fmt.Sprintf("%d.%012d", run, place))
			request.KVs = append(request.KVs, &schema.KeyValue{Key: key, Value: value})
		}
		found = append(found, request)
	}
	return found
}

func open(port int) client.ImmuClient {
	folder, err := os.MkdirTemp("", "immudb-client-")
	must(err)
	options := client.DefaultOptions().WithAddress("127.0.0.1").WithPort(port).WithDir(folder)
	found := client.NewClient().WithOptions(options)
	must(found.OpenSession(context.Background(), []byte("immudb"), []byte("immudb"), "defaultdb"))
	return found
}

// used is the CPU time of this process so far, in seconds.
func used() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// usedBy is the CPU time of another process so far, in seconds: proc(5), fields 14 and 15 of `stat`.
func usedBy(process int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	must(err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	total := 0.0
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseFloat(field, 64)
		must(err)
		total += ticks
	}
	return total / ticksPerSecond
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
