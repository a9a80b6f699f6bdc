package server

import (
	"fmt"
	"io"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
)

// Config says what a Server offers. The zero value with a Store is a server that nobody
// can log on to.
type Config struct {
	Store Store
	Share string // name of the one share; "share" if empty
	Name  string // of the server; "ODXRAY" if empty

	Users map[string][16]byte // NT hashes of passwords
	Guest bool                // unknown users and empty names become guests

	RequireSigning bool
	Encrypt        bool // sessions must encrypt

	// What is negotiated of; all that there is if nil, the preferred first.
	Dialects []smb2.Dialect
	Ciphers  []smb2.Cipher
	Signings []smb2.Signing

	ODX    ODX
	Limits Limits

	Script Script // answers in the place of the files; may be nil

	Faults    []*Fault // what goes wrong on purpose
	FaultSeed uint64   // of what happens to them by chance

	BreakTimeout time.Duration // how long an oplock break may take; 35 s if 0

	Trace bool                             // log every request, not only those that fail
	Pcap  io.Writer                        // gets a capture of all that is said; may be nil
	Log   func(format string, args ...any) // one line each; may be nil
}

// Profile is how a server treats tokens.
type Profile string

const (
	// Strict tokens can be used until they expire.
	Strict Profile = "strict"
	// Illumos tokens look as those of illumos and end with the open they came from.
	Illumos Profile = "illumos"
	// OneShot tokens can be used once.
	OneShot Profile = "one-shot"
)

// Profiles lists them.
var Profiles = []string{string(Strict), string(Illumos), string(OneShot)}

// ODX says how offloaded data transfer goes.
type ODX struct {
	Profile  Profile       // Strict if empty
	TokenMax uint64        // bytes that a token stands for at most; 256 MiB if 0
	WriteMax uint64        // bytes that an offload write writes at most; 16 MiB if 0
	TTL      time.Duration // how long a token lasts after its last use if the client does not say; 2 minutes if 0
}

// Limits are what clients can make the server keep. Each has a default.
type Limits struct {
	Connections int
	Sessions    int // in all
	Trees       int // of a session
	Opens       int // in all
	Locks       int // in all
	Pending     int // requests that wait, of a connection
	Tokens      int
	Names       int // entries of a directory that a client lists
}

func (c *Config) complete() error {
	if c.Store == nil {
		return fmt.Errorf("no store")
	}
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	set(&c.Limits.Connections, 1024)
	set(&c.Limits.Sessions, 4096)
	set(&c.Limits.Trees, 256)
	set(&c.Limits.Opens, 16384)
	set(&c.Limits.Locks, 65536)
	set(&c.Limits.Pending, 512)
	set(&c.Limits.Tokens, 8192)
	set(&c.Limits.Names, 1<<20)
	if c.Share == "" {
		c.Share = "share"
	}
	if c.Name == "" {
		c.Name = "ODXRAY"
	}
	if c.Dialects == nil {
		c.Dialects = []smb2.Dialect{smb2.Dialect202, smb2.Dialect210, smb2.Dialect300, smb2.Dialect302, smb2.Dialect311}
	}
	if c.Ciphers == nil {
		c.Ciphers = []smb2.Cipher{smb2.AES128GCM, smb2.AES128CCM, smb2.AES256GCM, smb2.AES256CCM}
	}
	if c.Signings == nil {
		c.Signings = []smb2.Signing{smb2.AESGMAC, smb2.AESCMAC, smb2.HMACSHA256}
	}
	if c.BreakTimeout <= 0 {
		c.BreakTimeout = 35 * time.Second
	}
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	o := &c.ODX
	switch o.Profile {
	case "":
		o.Profile = Strict
	case Strict, Illumos, OneShot:
	default:
		return fmt.Errorf("%q is no profile of offloaded data transfer", o.Profile)
	}
	for _, v := range []struct {
		p    *uint64
		size uint64
	}{{&o.TokenMax, 256 << 20}, {&o.WriteMax, 16 << 20}} {
		if *v.p == 0 {
			*v.p = v.size
		}
		if *v.p %= 1 << 62; *v.p < sectorSize {
			return fmt.Errorf("a limit of offloaded data transfer is at least a sector of %d bytes", sectorSize)
		}
		*v.p -= *v.p % sectorSize
	}
	if o.TTL <= 0 {
		o.TTL = 2 * time.Minute
	}
	return nil
}

// sectorSize is what offsets and lengths of offloaded transfers are multiples of.
const sectorSize = 512
