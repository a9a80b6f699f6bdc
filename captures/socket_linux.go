package captures

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/odxray/odxray/captures/bpf"
	"github.com/odxray/odxray/captures/linktype"
)

// Packet sockets of Linux with a ring that is shared with the kernel, TPACKET_V3:
// Documentation/networking/packet_mmap.rst, packet(7). The kernel fills blocks, and
// gives one over when it is full or retireAfter old; it goes back when the packets in it
// have been looked at.

const (
	ringBlock   = 512 << 10
	smallBlock  = 256 << 10 // of a ring that would have few blocks else
	fewBlocks   = 32
	retireAfter = 50 // milliseconds
	// Room before a packet for what is put in front of it there: an SLL2 header, a tag.
	reserve    = 32
	statsEvery = 500 * time.Millisecond
)

// sockets is a feed of packet sockets.
type sockets struct {
	list  []*socket
	fds   []unix.PollFd
	mu    sync.Mutex // guards sums
	sums  []Counts
	asked time.Time
}

// socket is a packet socket on an interface, or on all.
type socket struct {
	fd     int
	number int // in the list of interfaces
	what   Interface
	index  int // of the interface; 0 for all
	cooked bool
	ring   []byte
	blocks []block
	at     int // the block that comes next

	mu     sync.Mutex // guards what follows
	held   int        // blocks that are looked at
	closed bool
}

// openSockets opens a socket for each interface.
func openSockets(opt *LiveOptions) (feed, string, error) {
	s := &sockets{}
	for _, name := range opt.Interfaces {
		k, err := openSocket(name, opt)
		if err != nil {
			return nil, "", errors.Join(err, s.close())
		}
		k.number = len(s.list)
		s.list = append(s.list, k)
		s.fds = append(s.fds, unix.PollFd{Fd: int32(k.fd), Events: unix.POLLIN | unix.POLLERR})
	}
	s.sums = make([]Counts, len(s.list))
	for i := range s.sums {
		s.sums[i].Known = true
	}
	return s, strings.Join(opt.Interfaces, ", "), nil
}

func openSocket(name string, opt *LiveOptions) (_ *socket, err error) {
	k := &socket{fd: -1, cooked: true, what: Interface{Name: name, Filter: opt.Filter, Snaplen: opt.Snaplen, TimeDigits: 9, FCSLen: -1, Link: linktype.LinuxSLL2, LinkNumber: 276}}
	fail := func(doing string, err error) (*socket, error) {
		k.close()
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return nil, &PrivilegeError{name, err}
		}
		return nil, &Error{File: name, Off: -1, What: doing + ": " + err.Error(), Err: err}
	}
	if name != "any" {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return nil, &Error{File: name, Off: -1, What: "there is no such interface; odxray live -D lists those that there are", Err: err}
		}
		k.index = i.Index
		if hardware(name) == unix.ARPHRD_ETHER || hardware(name) == unix.ARPHRD_LOOPBACK {
			k.cooked, k.what.Link, k.what.LinkNumber = false, linktype.Ethernet, 1
		}
	}
	program, err := compile(name, opt.Filter, k.cooked, opt.Snaplen)
	if err != nil {
		return nil, err
	}
	kind := unix.SOCK_RAW
	if k.cooked {
		kind = unix.SOCK_DGRAM
	}
	// Without a protocol nothing comes in before the filter is there.
	if k.fd, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return fail("opening a packet socket", err)
	}
	prog := make([]unix.SockFilter, len(program))
	for i, in := range program {
		prog[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if err := unix.SetsockoptSockFprog(k.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}); err != nil {
		return fail("attaching the filter", err)
	}
	if err := unix.SetsockoptInt(k.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fail("asking for TPACKET_V3, which Linux has since 3.2", err)
	}
	if err := unix.SetsockoptInt(k.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, reserve); err != nil {
		return fail("making room before packets", err)
	}
	if err := k.mapRing(opt.Buffer); err != nil {
		return fail("making a buffer of "+fmt.Sprint(opt.Buffer)+" bytes", err)
	}
	all := htons(unix.ETH_P_ALL)
	if err := unix.Bind(k.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: k.index}); err != nil {
		return fail("binding to the interface", err)
	}
	if opt.Promiscuous && k.index != 0 {
		m := unix.PacketMreq{Ifindex: int32(k.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(k.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return fail("asking for frames to others", err)
		}
	}
	return k, nil
}

func htons(v uint16) uint16 { return binary.NativeEndian.Uint16([]byte{byte(v >> 8), byte(v)}) }

// frames is what the filter of a socket sees.
func frames(cooked bool) bpf.Frames {
	if cooked {
		return bpf.Cooked
	}
	return bpf.Live
}

// hardware returns the ARP hardware type of an interface; 0xffff if nobody says.
func hardware(name string) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0xffff
	}
	defer unix.Close(fd)
	var req [40]byte // struct ifreq
	copy(req[:15], name)
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFHWADDR, uintptr(unsafe.Pointer(&req))); e != 0 {
		return 0xffff
	}
	return int(binary.NativeEndian.Uint16(req[16:]))
}

// mapRing makes the ring of about size bytes.
func (k *socket) mapRing(size int) error {
	each := ringBlock
	if size/each < fewBlocks {
		each = smallBlock
	}
	n := max(size/each, 2)
	const frame = 2048 // the kernel wants one, but fills a block with packets of any length
	err := unix.SetsockoptTpacketReq3(k.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size: uint32(each), Block_nr: uint32(n), Frame_size: frame, Frame_nr: uint32(n * each / frame), Retire_blk_tov: retireAfter})
	if err != nil {
		return err
	}
	if k.ring, err = unix.Mmap(k.fd, 0, n*each, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return err
	}
	k.blocks = make([]block, n)
	for i := range k.blocks {
		b := &k.blocks[i]
		b.buf = k.ring[i*each : (i+1)*each : (i+1)*each]
		b.free = func() { k.release(b) }
	}
	return nil
}

// release gives a block back. The ring goes with the last one that is looked at.
func (k *socket) release(b *block) {
	k.mu.Lock()
	defer k.mu.Unlock()
	status(b.buf).Store(unix.TP_STATUS_KERNEL)
	if k.held--; k.closed {
		_ = k.unmap() // close has said what went wrong
	}
}

// hold takes the block that comes next, if it is ready.
func (k *socket) hold() *block {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	b := &k.blocks[k.at]
	if status(b.buf).Load()&unix.TP_STATUS_USER == 0 {
		return nil
	}
	k.at = (k.at + 1) % len(k.blocks)
	k.held++
	return b
}

// status is who may use a block. struct tpacket_block_desc, tpacket_hdr_v1
func status(b []byte) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&b[8])) }

func (s *sockets) read(b *Batch, wait time.Duration) error {
	s.ask()
	if s.take(b) {
		return nil
	}
	n, err := unix.Poll(s.fds, int(wait/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return &Error{File: "capture", Off: -1, Err: err}
	}
	if n > 0 {
		for i := range s.fds {
			if s.fds[i].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
				if err := s.list[i].trouble(); err != nil {
					return err
				}
			}
		}
		s.take(b)
	}
	return nil
}

// trouble says what is wrong with a socket. An interface that is down may come up again;
// one that is gone does not come back.
func (k *socket) trouble() error {
	e, err := unix.GetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && e == int(unix.ENETDOWN) && k.index != 0 {
		if on, err := unix.Getsockname(k.fd); err == nil {
			if l, ok := on.(*unix.SockaddrLinklayer); ok && l.Ifindex != k.index {
				return &Error{File: k.what.Name, Off: -1, What: "the interface is gone", Err: unix.ENODEV}
			}
		}
		return nil
	}
	if err == nil && e != 0 && e != int(unix.ENETDOWN) {
		err = unix.Errno(e)
	}
	if err != nil {
		return &Error{File: k.what.Name, Off: -1, Err: err}
	}
	return nil
}

// take fills b with the block that is ready of each socket, and reports whether there is
// one. Packets of several interfaces come in the order of their times.
func (s *sockets) take(b *Batch) bool {
	ready := 0
	b.own = b.own[:0]
	for _, k := range s.list {
		blk := k.hold()
		if blk == nil {
			continue
		}
		blk.packets = k.packets(blk.buf, blk.packets[:0])
		blk.refs.Store(0)
		b.hold(blk)
		if ready++; ready == 1 {
			b.Packets = blk.packets
			continue
		}
		if ready == 2 {
			b.own = append(b.own, b.Packets...)
		}
		b.own = append(b.own, blk.packets...)
		b.Packets = b.own
	}
	if ready > 1 {
		slices.SortStableFunc(b.own, func(p, q Packet) int { return int(max(min(p.Time-q.Time, 1), -1)) })
	}
	return ready > 0
}

// Offsets in struct tpacket3_hdr, and of the struct sockaddr_ll behind it.
const (
	hdrNext, hdrSec, hdrNsec, hdrCaptured, hdrWire, hdrStatus = 0, 4, 8, 12, 16, 20
	hdrMAC, hdrTag, hdrTPID                                   = 24, 32, 36
	hdrSize                                                   = 48
	llProtocol, llIndex, llHardware, llKind, llLen, llAddr    = hdrSize + 2, hdrSize + 4, hdrSize + 8, hdrSize + 10, hdrSize + 11, hdrSize + 12
)

// packets lists the packets of a block.
func (k *socket) packets(b []byte, list []Packet) []Packet {
	o := binary.NativeEndian
	n, at := o.Uint32(b[12:]), o.Uint32(b[16:])
	for ; n > 0; n-- {
		h := b[at:]
		if p, ok := k.packet(b, at, h); ok {
			list = append(list, p)
		}
		at += o.Uint32(h[hdrNext:])
	}
	return list
}

// packet makes of what the kernel says, with the header h at b[at:], a packet as it was
// on the wire.
func (k *socket) packet(b []byte, at uint32, h []byte) (p Packet, ok bool) {
	o := binary.NativeEndian
	hw := o.Uint16(h[llHardware:])
	if hw == unix.ARPHRD_LOOPBACK && h[llKind] == unix.PACKET_OUTGOING {
		return p, false // it comes in, too
	}
	start, flags := at+uint32(o.Uint16(h[hdrMAC:])), o.Uint32(h[hdrStatus:])
	captured := o.Uint32(h[hdrCaptured:])
	end := start + captured
	p = Packet{
		Time: int64(o.Uint32(h[hdrSec:]))*1e9 + int64(o.Uint32(h[hdrNsec:])), Link: k.what.Link,
		WireLen: int(o.Uint32(h[hdrWire:])), Interface: k.number,
	}
	tagged := flags&unix.TP_STATUS_VLAN_VALID != 0
	tpid := uint16(unix.ETH_P_8021Q)
	if flags&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = o.Uint16(h[hdrTPID:])
	}
	tag := uint16(o.Uint32(h[hdrTag:]))
	switch {
	case k.cooked:
		protocol := binary.BigEndian.Uint16(h[llProtocol:])
		index, kind, size := o.Uint32(h[llIndex:]), h[llKind], h[llLen]
		var addr [8]byte
		copy(addr[:], h[llAddr:llAddr+8])
		if tagged {
			start -= 4
			binary.BigEndian.PutUint16(b[start:], tag)
			binary.BigEndian.PutUint16(b[start+2:], protocol)
			protocol = tpid
		}
		start -= 20
		s := b[start : start+20] // LINKTYPE_LINUX_SLL2
		binary.BigEndian.PutUint16(s, protocol)
		s[2], s[3] = 0, 0
		binary.BigEndian.PutUint32(s[4:], index)
		binary.BigEndian.PutUint16(s[8:], hw)
		s[10], s[11] = kind, size
		copy(s[12:], addr[:])
	case tagged && captured >= 12:
		copy(b[start-4:], b[start:start+12])
		start -= 4
		binary.BigEndian.PutUint16(b[start+12:], tpid)
		binary.BigEndian.PutUint16(b[start+14:], tag)
	}
	p.Data = b[start:end:end]
	p.WireLen = max(p.WireLen+len(p.Data)-int(captured), len(p.Data))
	return p, true
}

// used returns how many blocks the kernel cannot fill.
func (k *socket) used() (n int) {
	for i := range k.blocks {
		if status(k.blocks[i].buf).Load()&unix.TP_STATUS_USER != 0 {
			n++
		}
	}
	return n
}

// ask takes over what the kernel has counted since it was asked before.
func (s *sockets) ask() {
	if now := time.Now(); now.Sub(s.asked) >= statsEvery {
		s.asked = now
		s.count()
	}
}

func (s *sockets) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range s.list {
		k.mu.Lock()
		if k.closed {
			k.mu.Unlock()
			continue
		}
		if st, err := unix.GetsockoptTpacketStatsV3(k.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			s.sums[i].Received += uint64(st.Packets)
			s.sums[i].Dropped += uint64(st.Drops)
		}
		s.sums[i].Held = k.used() * 100 / len(k.blocks)
		k.mu.Unlock()
	}
}

func (s *sockets) counts() []Counts {
	s.count()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sums)
}

func (s *sockets) interfaces() (list []Interface) {
	for _, k := range s.list {
		list = append(list, k.what)
	}
	return list
}

func (s *sockets) close() (err error) {
	for _, k := range s.list {
		err = errors.Join(err, k.close())
	}
	return err
}

func (k *socket) close() (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	err = k.unmap()
	if k.fd >= 0 {
		err = errors.Join(err, unix.Close(k.fd))
	}
	return err
}

// unmap gives the ring back once nobody looks at it.
func (k *socket) unmap() (err error) {
	if k.held == 0 && k.ring != nil {
		err = unix.Munmap(k.ring)
		k.ring = nil
	}
	return err
}
