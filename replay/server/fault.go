package server

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// Fault is something that the server does wrong on purpose: which requests it happens to,
// what happens, and when. Its text is
//
//	REQUEST:EFFECT[=VALUE][,file=PATTERN][,after=N][,every=N][,count=N][,chance=P]
type Fault struct {
	text   string
	on     target
	effect *effect
	value  faultValue

	file   string // pattern; "" for all
	after  int    // of the requests that match, so many are spared first
	every  int    // of those that follow, every so manieth
	count  int    // no more than that; 0 for no limit
	chance float64
}

// target is the requests that a fault is about.
type target struct {
	name    string
	any     bool
	command smb2.Command
	codes   []fscc.Code // of an IOCTL; nil for all
}

// faultValue is what an effect was given: the fields that its kind of value has.
type faultValue struct {
	given    bool
	number   int64
	relative bool // number is added to what is true
	status   status
	time     time.Duration
	word     string
	limits   fscc.CopyChunkLimits
}

// effect is a kind of fault.
type effect struct {
	name    string
	value   string // what its value is, in a word; in brackets if it may be left out
	on      string // names of the requests that it makes sense for; "" for all
	meaning string
	parse   func(text string, v *faultValue) error
}

const copying = "copychunk copychunk-write "

// effects are all there are, in the order in which people are told of them.
var effects = []effect{
	{"status", "STATUS", "", "is refused with that status, and not done", parseStatus},
	{"delay", "TIME", "", "is answered later by that time", parseTime},
	{"pending", "TIME", "", "is answered with STATUS_PENDING, and later by that time in full", parseTime},
	{"silent", "[done]", "", "is never answered; it is not done either, unless =done", parseWord("done")},
	{"drop", "[done|after]", "", "ends the connection: before it is done, once it is done (=done), or once it is answered (=after)", parseWord("done", "after")},
	{"shorten", "BYTES", "read write offload-read offload-write " + copying, "is done for so many bytes at most, and the answer says so", parseBytes},
	{"claim", "BYTES", "read write offload-read offload-write " + copying, "is answered with another number of bytes than was done; +N and -N are added to the true one", parseRelative},
	{"corrupt", "", "read offload-read request-resume-key", "is answered with a bit turned in the data, the token or the key", parseNothing},
	{"size", "BYTES", "offload-read offload-write", "is answered with that number in the field Size", parseBytes},
	{"token-type", "NUMBER", "offload-read", "brings a token of that TokenType", parseNumber(math.MaxUint32)},
	{"token-id-length", "NUMBER", "offload-read", "brings a token that claims that TokenIdLength", parseNumber(math.MaxUint16)},
	{"ttl", "TIME", "offload-read", "brings a token that lasts for that time, whatever the client asked for", parseTime},
	{"expire", "", "offload-write", "finds that its token has expired", parseNothing},
	{"stale", "", "offload-write", "is done though the source of its token has changed", parseNothing},
	{"limits", "CHUNKS/BYTES/TOTAL", copying, "is refused above these limits, which the answer gives", parseLimits},
	{"break", "[none|read]", "read write ioctl lock query-info set-info offload-read offload-write duplicate-extents " + copying,
		"first breaks all oplocks and leases on its file, those of its own client too, and waits for that", parseWord("none", "read")},
	{"credits", "NUMBER", "", "grants no more credits than that: with 0, none at all", parseNumber(maxCredits)},
	{"signature", "", "", "is answered with a wrong signature, if with any", parseNothing},
}

// aliases are requests of more than one control code, or of other names.
var aliases = map[string][]fscc.Code{
	"copychunk":         {fscc.CopyChunk, fscc.CopyChunkWrite},
	"duplicate-extents": {fscc.DuplicateExtents, fscc.DuplicateExtentsEx},
}

// faultName is a name as rules have it: FSCTL_SRV_COPYCHUNK_WRITE is copychunk-write.
func faultName(s string) string {
	s = strings.ReplaceAll(strings.ToLower(s), "_", "-")
	return strings.TrimPrefix(strings.TrimPrefix(s, "fsctl-"), "srv-")
}

// parseTarget finds the requests of a name.
func parseTarget(text string) (t target, ok bool) {
	t.name = faultName(text)
	if t.any = t.name == "any"; t.any {
		return t, true
	}
	for c := smb2.Negotiate; c <= smb2.OplockBreak; c++ {
		if c != smb2.Cancel && t.name == faultName(c.Name()) {
			t.command = c
			return t, true
		}
	}
	t.command = smb2.Ioctl
	if t.codes = aliases[t.name]; t.codes != nil {
		return t, true
	}
	for _, c := range fscc.Codes() {
		if t.name == faultName(c.String()) {
			t.codes = append(t.codes, c)
		}
	}
	return t, t.codes != nil
}

// ParseFault reads a rule.
func ParseFault(text string) (*Fault, error) {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return nil, fmt.Errorf("%q is not of the form REQUEST:EFFECT, as in offload-write:status=STATUS_DISK_FULL", text)
	}
	f := &Fault{text: text, every: 1, chance: 1}
	if f.on, ok = parseTarget(strings.TrimSpace(name)); !ok {
		return nil, fmt.Errorf("%q: there is no request %q: take a command as read or create, a control code as offload-write or copychunk, or any", text, name)
	}
	for i, part := range strings.Split(rest, ",") {
		key, value, given := strings.Cut(strings.TrimSpace(part), "=")
		err := error(nil)
		if i == 0 {
			err = f.parseEffect(key, value, given)
		} else {
			err = f.parseCondition(key, value)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
	}
	return f, nil
}

func (f *Fault) parseEffect(name, value string, given bool) error {
	i := slices.IndexFunc(effects, func(e effect) bool { return e.name == name })
	if i < 0 {
		var all []string
		for _, e := range effects {
			all = append(all, e.name)
		}
		return fmt.Errorf("there is no effect %q: there are %s", name, strings.Join(all, ", "))
	}
	e := &effects[i]
	if e.on != "" && !slices.Contains(strings.Fields(e.on), f.on.name) {
		return fmt.Errorf("%s is for %s", name, strings.Join(strings.Fields(e.on), ", "))
	}
	f.effect, f.value.given = e, given
	switch optional := strings.HasPrefix(e.value, "["); {
	case given && e.value == "":
		return fmt.Errorf("%s takes no value", name)
	case !given && e.value != "" && !optional:
		return fmt.Errorf("%s needs a value: %s=%s", name, name, e.value)
	case !given:
		return nil
	}
	if err := e.parse(value, &f.value); err != nil {
		return fmt.Errorf("%s=%s: %w", name, value, err)
	}
	return nil
}

func (f *Fault) parseCondition(key, value string) (err error) {
	number := func(p *int, least int) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least {
			return fmt.Errorf("%s=%s: it is a number from %d on", key, value, least)
		}
		*p = n
		return nil
	}
	switch key {
	case "after":
		return number(&f.after, 0)
	case "every":
		return number(&f.every, 1)
	case "count":
		return number(&f.count, 1)
	case "chance":
		bare, percent := strings.CutSuffix(value, "%")
		f.chance, err = strconv.ParseFloat(bare, 64)
		if percent {
			f.chance /= 100
		}
		if err != nil || !(f.chance > 0 && f.chance <= 1) {
			return fmt.Errorf("chance=%s: it is a part of 1 as in 0.05, or a percentage as in 5%%", value)
		}
	case "file":
		f.file = strings.ToLower(strings.ReplaceAll(value, `\`, "/"))
		if _, err := path.Match(f.file, ""); err != nil || value == "" {
			return fmt.Errorf("file=%s: it is a name, in which * and ? stand for others", value)
		}
	default:
		return fmt.Errorf("there is no condition %q: there are file, after, every, count and chance; a second effect is a second rule", key)
	}
	return nil
}

// Own reports whether the fault is about what only the server's own files have, not those
// of a Script: tokens, oplocks and leases.
func (f *Fault) Own() bool {
	switch f.effect.name {
	case "ttl", "expire", "stale", "break":
		return true
	}
	return false
}

// String returns the rule as it was given.
func (f *Fault) String() string { return f.text }

func parseNothing(string, *faultValue) error { return nil }

func parseStatus(s string, v *faultValue) error {
	name := strings.ToUpper(s)
	if st, ok := ntstatus.Lookup(name); ok {
		v.status = st
	} else if st, ok := ntstatus.Lookup("STATUS_" + name); ok {
		v.status = st
	} else if n, err := strconv.ParseUint(s, 0, 32); err == nil {
		v.status = status(n)
	} else {
		return fmt.Errorf("no status has that name: write it as STATUS_DISK_FULL or 0xc000007f")
	}
	if !v.status.IsError() {
		return fmt.Errorf("that is no error, and an answer would have to say what was done")
	}
	return nil
}

func parseTime(s string, v *faultValue) (err error) {
	const most = time.Hour
	if v.time, err = time.ParseDuration(s); err != nil || v.time < 0 || v.time > most {
		return fmt.Errorf("it is a time of at most an hour, as 300ms or 5s")
	}
	return nil
}

func parseWord(words ...string) func(string, *faultValue) error {
	return func(s string, v *faultValue) error {
		if v.word = s; !slices.Contains(words, s) {
			return fmt.Errorf("it is %s", strings.Join(words, " or "))
		}
		return nil
	}
}

// parseBytes reads a number of bytes: 512, 64k, 1M.
func parseBytes(s string, v *faultValue) error {
	digits := strings.TrimRight(s, "kKmMgG")
	shift := map[string]uint{"": 0, "k": 10, "m": 20, "g": 30}
	by, ok := shift[strings.ToLower(s[len(digits):])]
	n, err := strconv.ParseInt(digits, 0, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64>>31 {
		return fmt.Errorf("it is a number of bytes, as 512, 64k or 1M")
	}
	v.number = n << by
	return nil
}

func parseRelative(s string, v *faultValue) error {
	bare := strings.TrimLeft(s, "+-")
	if v.relative = bare != s; v.relative && len(s)-len(bare) > 1 {
		bare = ""
	}
	if err := parseBytes(bare, v); err != nil {
		return err
	}
	if s[0] == '-' {
		v.number = -v.number
	}
	return nil
}

func parseNumber(most int64) func(string, *faultValue) error {
	return func(s string, v *faultValue) (err error) {
		if v.number, err = strconv.ParseInt(s, 0, 64); err != nil || v.number < 0 || v.number > most {
			return fmt.Errorf("it is a number up to %d", most)
		}
		return nil
	}
}

func parseLimits(s string, v *faultValue) error {
	parts := strings.Split(s, "/")
	l := &v.limits
	for i, p := range []*uint32{&l.Chunks, &l.ChunkBytes, &l.TotalBytes} {
		var n faultValue
		if len(parts) != 3 || parseBytes(parts[i], &n) != nil || n.number > math.MaxUint32 {
			return fmt.Errorf("it is three numbers, as 16/64k/1M: chunks, bytes of a chunk, bytes in all")
		}
		*p = uint32(n.number)
	}
	return nil
}

// FaultHelp says in lines what rules there can be.
func FaultHelp() string {
	var b strings.Builder
	b.WriteString("REQUEST:EFFECT[=VALUE][,CONDITION]...\n\n" +
		"REQUEST is a command (create, read, query-info, …), a control code (offload-read,\noffload-write, copychunk, duplicate-extents, …), or any. Such a request:\n\n")
	for _, e := range effects {
		name := e.name
		if e.value != "" {
			name += "=" + e.value
			if strings.HasPrefix(e.value, "[") {
				name = e.name + "[=" + e.value[1:]
			}
		}
		fmt.Fprintf(&b, "  %s\n      %s\n", name, e.meaning)
		if e.on != "" {
			fmt.Fprintf(&b, "      (%s)\n", strings.Join(strings.Fields(e.on), ", "))
		}
	}
	b.WriteString("\nConditions:\n\n" +
		"  file=PATTERN  only on files of that name or path; * and ? stand for others\n" +
		"  after=N       not the first N that match\n" +
		"  every=N       of those that follow only every Nth, from the first on\n" +
		"  count=N       N times at most\n" +
		"  chance=P      each with that probability, as 0.05 or 5%; --fault-seed decides which\n\n" +
		"Several rules may act on one request, in the order that they were given.\n")
	return b.String()
}
