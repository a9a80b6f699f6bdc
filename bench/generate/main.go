// Generate writes a large capture for measurements: the traffic of clients that read
// and write in bulk, that open many small files, or that copy by offload calls.
//
//	go run ./bench/generate -kind bulk|metadata|odx -mb 1000 FILE
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows/flowtest"
)

func main() {
	kind := flag.String("kind", "bulk", "`bulk`, metadata or odx")
	mb := flag.Int("mb", 100, "size of the file, in MB")
	flag.Parse()
	if err := generate(*kind, int64(*mb)*1e6, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(kind string, size int64, path string) error {
	work, ok := workloads[kind]
	if !ok {
		return fmt.Errorf("no kind %q", kind)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	w, err := captures.NewWriter(out, captures.WriterOptions{})
	if err != nil {
		return err
	}
	var c flowtest.Capture
	var written int64
	for round := 0; written < size; round++ {
		work(&c, round)
		for i := range c.Packets {
			if err := w.Packet(&c.Packets[i]); err != nil {
				return err
			}
			written += int64(len(c.Packets[i].Data)) + 32
		}
		c.Packets = c.Packets[:0]
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// workloads add one connection's traffic each.
var workloads = map[string]func(c *flowtest.Capture, round int){"bulk": bulk, "metadata": metadata, "odx": offload}

func login(c *flowtest.Capture, round int) *flowtest.Client {
	s := c.Login(fmt.Sprintf("10.1.%d.%d:%d", round>>8&255, round&255, 20000+round%40000), "10.0.0.2:445", `\\fs\data`)
	s.AckEvery = 2
	return s
}

// bulk reads and writes 1 MiB at a time.
func bulk(c *flowtest.Capture, round int) {
	s := login(c, round)
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i*7 + i>>9)
	}
	from, to := s.Open(fmt.Sprintf("big%d.vhdx", round), 16<<20), s.New(fmt.Sprintf("copy%d.vhdx", round))
	for i := range uint64(16) {
		s.Read(from, i<<20, data)
		s.Write(to, i<<20, data)
	}
	s.Close(from)
	s.Close(to)
}

// metadata opens, asks and closes small files.
func metadata(c *flowtest.Capture, round int) {
	s := login(c, round)
	for i := range 500 {
		f := s.Open(fmt.Sprintf(`dir%d\sub%d\file number %d.txt`, round%100, i%20, i), uint64(i))
		s.QueryStandard(f, uint64(i))
		s.Read(f, 0, make([]byte, 100+i))
		s.Ack(0)
		s.Close(f)
	}
}

// offload copies a file in calls of 1 MiB.
func offload(c *flowtest.Capture, round int) {
	s := login(c, round)
	const calls = 500
	from, to := s.Open(fmt.Sprintf("disk%d.vhdx", round), calls<<20), s.New(fmt.Sprintf("clone%d.vhdx", round))
	s.SetSize(to, calls<<20)
	for i := range uint64(calls) {
		if i%16 == 0 {
			s.OffloadRead(from, i<<20, 16<<20, 16<<20, flowtest.NewToken(byte(i/16), byte(round), byte(round>>8)))
		}
		s.OffloadWrite(to, i<<20, 1<<20, i%16<<20, flowtest.NewToken(byte(i/16), byte(round), byte(round>>8)), 1<<20)
	}
	s.Close(from)
	s.Close(to)
}
