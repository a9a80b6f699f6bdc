// Generate writes a large capture for measurements: the traffic of clients that read
// and write in bulk, that open many small files, that copy by offload calls, or that do
// all of that at once.
//
//	go run ./bench/generate -kind bulk|metadata|odx|mixed|sealed|rocev2|iwarp -mb 1000 FILE
//
// sealed is bulk, encrypted with AES-128-GCM; FILE.keys has the keys as Wireshark wants
// them. rocev2 is bulk by SMB Direct over RoCEv2, iwarp the same over iWARP, with checksums.
package main

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"flag"
	"fmt"
	"os"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows/flowtest"
)

func main() {
	kind := flag.String("kind", "bulk", "`bulk`, metadata, odx, mixed, sealed, rocev2 or iwarp")
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
	if kind == "sealed" {
		if err := os.WriteFile(path+".keys", keyLines.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return f.Close()
}

// workloads add what some connections carry.
var workloads = map[string]func(c *flowtest.Capture, round int){"bulk": bulk, "rocev2": direct, "iwarp": placed, "metadata": metadata, "odx": offload, "mixed": mixed, "sealed": sealed}

// login begins a session that no other client has.
func login(c *flowtest.Capture, number int) *flowtest.Client { return loginWith(c, number, 0) }

func loginWith(c *flowtest.Capture, number int, cipher uint16) *flowtest.Client {
	from := fmt.Sprintf("10.%d.%d.%d:%d", number>>16&255, number>>8&255, number&255, 20000+number%40000)
	s := &flowtest.Client{Conn: c.Dial(from, "192.168.0.2:445"), Session: 0x100000000001 + uint64(number)<<8, Tree: 7, Credits: 32, Cipher: cipher}
	s.AckEvery = 2
	s.Setup(`\\fs\data`)
	return s
}

// bulk reads and writes 1 MiB at a time.
func bulk(c *flowtest.Capture, round int) {
	s := login(c, round)
	move(s, round, s.Read, s.Write)
}

// direct is bulk by RDMA.
func direct(c *flowtest.Capture, round int) {
	from := fmt.Sprintf("10.%d.%d.%d", round>>16&255, round>>8&255, round&255)
	s := &flowtest.Client{Conn: c.Midway(from+":20000", "192.168.0.2:445"), Pair: c.Join(from, "192.168.0.2", uint32(round)),
		Session: 0x100000000001 + uint64(round)<<8, Tree: 7, Credits: 32}
	s.Setup(`\\fs\data`)
	move(s, round, s.ReadRDMA, s.WriteRDMA)
}

// placed is bulk by RDMA over TCP.
func placed(c *flowtest.Capture, round int) {
	w := c.IWARP(fmt.Sprintf("10.%d.%d.%d:20000", round>>16&255, round>>8&255, round&255), "192.168.0.2:5445", flowtest.IWARPOptions{Checks: true})
	w.AckEvery = 2
	s := w.Client()
	s.Session = 0x100000000001 + uint64(round)<<8
	s.Setup(`\\fs\data`)
	key := uint32(round) << 16
	region := func(data []byte) []flowtest.Region {
		key++
		return []flowtest.Region{{Address: 0x7f0000000000, Key: key, Length: uint32(len(data))}}
	}
	move(s, round, func(f flowtest.File, offset uint64, data []byte) {
		s.ReadDirect(f, offset, 1, region(data), func() { w.Write(1, key, 0x7f0000000000, data) })
	}, func(f flowtest.File, offset uint64, data []byte) {
		s.WriteDirect(f, offset, 1, region(data), func() { w.Read(1, key, 0x7f0000000000, data) })
	})
}

func move(s *flowtest.Client, round int, read, write func(f flowtest.File, offset uint64, data []byte)) {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i*7 + i>>9)
	}
	from, to := s.Open(fmt.Sprintf("big%d.vhdx", round), 16<<20), s.New(fmt.Sprintf("copy%d.vhdx", round))
	for i := range uint64(16) {
		read(from, i<<20, data)
		write(to, i<<20, data)
	}
	s.Close(from)
	s.Close(to)
}

var keyLines bytes.Buffer

// sealed is bulk, encrypted.
func sealed(c *flowtest.Capture, round int) {
	const gcm128 = 2 // [MS-SMB2] 2.2.3.1.2
	s := loginWith(c, round, gcm128)
	key := []byte("key of all sessn")
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	id := binary.LittleEndian.AppendUint64(nil, s.Session)
	fmt.Fprintf(&keyLines, "%x,\"\",%x,%x\n", id, key, key)
	count := uint64(0)
	s.Wrap = func(m []byte) []byte { // [MS-SMB2] 2.2.41
		count++
		h := append([]byte("\xfdSMB"), make([]byte, 16)...)
		h = append(binary.LittleEndian.AppendUint64(h, count), make([]byte, 8)...)
		h = append(binary.LittleEndian.AppendUint32(h, uint32(len(m))), 0, 0, 1, 0)
		h = append(h, id...)
		b := gcm.Seal(nil, h[20:32], m, h[20:])
		copy(h[4:], b[len(m):])
		return append(h, b[:len(m)]...)
	}
	move(s, round, s.Read, s.Write)
}

// metadata opens, asks and closes small files of several clients in turn.
func metadata(c *flowtest.Capture, round int) {
	var clients [16]*flowtest.Client
	for i := range clients {
		clients[i] = login(c, round*len(clients)+i)
	}
	for i := range 500 {
		smallFile(clients[i%len(clients)], fmt.Sprintf(`dir%d\sub%d\file number %d.txt`, round%100, i%20, i), i)
	}
}

func smallFile(s *flowtest.Client, name string, size int) {
	f := s.Open(name, uint64(size))
	s.QueryStandard(f, uint64(size))
	s.Read(f, 0, make([]byte, 100+size))
	s.Ack(0)
	s.Close(f)
}

// offload copies a file in calls of 1 MiB.
func offload(c *flowtest.Capture, round int) { clone(login(c, round), round, 500) }

func clone(s *flowtest.Client, round, calls int) {
	size := uint64(calls) << 20
	from, to := s.Open(fmt.Sprintf("disk%d.vhdx", round), size), s.New(fmt.Sprintf("clone%d.vhdx", round))
	s.SetSize(to, size)
	for i := range uint64(calls) {
		token := flowtest.NewToken(byte(i/16), byte(round), byte(round>>8))
		if i%16 == 0 {
			s.OffloadRead(from, i<<20, 16<<20, 16<<20, token)
		}
		s.OffloadWrite(to, i<<20, 1<<20, i%16<<20, token, 1<<20)
	}
	s.Close(from)
	s.Close(to)
}

// mixed has one client that moves data, one that opens small files and one that
// offloads, in turn.
func mixed(c *flowtest.Capture, round int) {
	mover, opener, cloner := login(c, 3*round), login(c, 3*round+1), login(c, 3*round+2)
	data := make([]byte, 1<<20)
	from, to := mover.Open(fmt.Sprintf("big%d.vhdx", round), 4<<20), mover.New(fmt.Sprintf("copy%d.vhdx", round))
	for i := range uint64(4) {
		mover.Read(from, i<<20, data)
		for k := range 50 {
			smallFile(opener, fmt.Sprintf(`dir%d\file number %d.txt`, round%100, int(i)*50+k), k)
		}
		mover.Write(to, i<<20, data)
	}
	mover.Close(from)
	mover.Close(to)
	clone(cloner, round, 64)
}
