package replay

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/odxray/odxray/replay/client"
)

// Target is where a replay goes: smb://user@host[:port]/share[/dir].
type Target struct {
	Address string // host and port
	Host    string // as servers are named in paths
	Share   string
	Dir     string // within the share; "" for the share itself
	User    string
	Domain  string
}

// ParseTarget reads a target's URL.
func ParseTarget(text string) (t Target, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "smb" || u.Hostname() == "":
		return t, fmt.Errorf("%q is not of the form smb://user@host[:port]/share", text)
	case strings.Trim(u.Path, "/") == "":
		return t, fmt.Errorf("%q names no share", text)
	case u.RawQuery != "" || u.Fragment != "":
		return t, fmt.Errorf("%q has more than user, host, port and share", text)
	}
	if _, secret := u.User.Password(); secret {
		return t, fmt.Errorf("a password in the target is for everybody to see: leave it out, and give $ODXRAY_TO_PASSWORD or --to-password-file, or wait to be asked")
	}
	port := u.Port()
	if port == "" {
		port = "445"
	}
	t.Host = u.Hostname()
	t.Address = net.JoinHostPort(t.Host, port)
	share, dir, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	t.Share, t.Dir = share, strings.ReplaceAll(dir, "/", `\`)
	t.User = u.User.Username()
	if domain, user, ok := strings.Cut(t.User, ";"); ok { // as RFC 2396's smb drafts have it
		t.Domain, t.User = domain, user
	}
	return t, nil
}

// String returns the target as it was given, without the user.
func (t Target) String() string {
	s := "smb://" + t.Address + "/" + t.Share
	if t.Dir != "" {
		s += "/" + strings.ReplaceAll(t.Dir, `\`, "/")
	}
	return s
}

// Level is how close answers have to be.
type Level uint8

const (
	Semantic Level = iota // what the server means
	Exact                 // what it says, but for what differs from run to run
	Class                 // the sort of status
	Liveness              // there is an answer
)

var levels = []string{"semantic", "exact", "class", "liveness"}

func (l Level) String() string { return levels[l] }

// Levels lists the names of levels.
func Levels() []string { return levels }

// ParseLevel is the reverse of String; the name is one of Levels.
func ParseLevel(name string) Level {
	for i, n := range levels {
		if n == name {
			return Level(i)
		}
	}
	return Semantic
}

// Order is what a request waits for.
type Order string

const (
	Deps     Order = "deps"     // what it needs, and what touched the same before it
	Captured Order = "captured" // that, and all that its client had seen
	Serial   Order = "serial"   // everything before it
)

// Missing is what stands in for bytes that the capture lacks.
type Missing string

const (
	MissingSkip    Missing = "skip" // the requests that lack them
	MissingZero    Missing = "zero"
	MissingPattern Missing = "pattern"
	MissingFail    Missing = "fail"
)

// Options of a run.
type Options struct {
	Target   Target
	Password string
	Kerberos client.Kerberos // logs in instead of the user's password; may be nil
	Guest    bool

	Level    Level
	Rules    *Rules // how fields are compared, before what Level says; may be nil
	Known    *Known // differences that are explained; may be nil
	Order    Order
	Speed    float64
	MaxGap   time.Duration // between requests, with Speed; 0 for no limit
	TimeOut  time.Duration // for a step; 0 is 30 s
	Loop     bool          // offload writes go on until the captured range is copied
	Fallback string        // "", "copychunk" or "plain": when the target refuses offload
	Missing  Missing
	Dial     func(ctx context.Context, address string) (client.Transport, error) // nil for TCP
	Tap      func(conn int, local, remote net.Addr, u *client.Unit)              // sees all that is sent and received; may be nil
}

func (o *Options) timeOut() time.Duration {
	if o.TimeOut > 0 {
		return o.TimeOut
	}
	return 30 * time.Second
}

// user is who logs in at the target.
func (o *Options) user() *client.Credentials {
	return &client.Credentials{User: o.Target.User, Domain: o.Target.Domain, Password: o.Password, Kerberos: o.Kerberos, Guest: o.Guest}
}
