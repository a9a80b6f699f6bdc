package kerberos

// Where credentials come from: what the command line names, and the environment.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	krb5 "github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// Source is where a user's credentials come from. Of a cache, a keytab and a password the
// first that is there is taken.
type Source struct {
	Name     string // of the user, also user@REALM; "" for whose cache or keytab it is
	Realm    string // or the name of a domain; "" for that of Name, or default_realm
	Cache    string // file, as kinit -c has it
	Keytab   string // file, as kinit -t has it
	Password string
	Config   string // krb5.conf; "" for $KRB5_CONFIG, or that of the system
}

// CacheName returns the credential cache of the environment: $KRB5CCNAME, or the file
// that kinit writes by default. "" if there is neither.
func CacheName() string {
	if name := os.Getenv("KRB5CCNAME"); name != "" {
		return name
	}
	name := filepath.Join(os.TempDir(), "krb5cc_"+strconv.Itoa(os.Getuid()))
	if _, err := os.Stat(name); err != nil {
		return ""
	}
	return name
}

// KeytabName returns the keytab that $KRB5_CLIENT_KTNAME names; "" if it names none.
func KeytabName() string { return os.Getenv("KRB5_CLIENT_KTNAME") }

// Open reads the credentials, and asks the KDC for a ticket where they are a password or
// a keytab.
func Open(s Source) (*User, error) {
	conf, err := configuration(s.Config)
	if err != nil {
		return nil, err
	}
	name, realm, _ := strings.Cut(s.Name, "@")
	if s.Cache != "" {
		return fromCache(conf, s.Cache, name, realm)
	}
	if realm == "" {
		realm = realmOf(conf, s.Realm)
	}
	switch {
	case s.Keytab != "":
		return fromKeytab(conf, s.Keytab, name, realm)
	case s.Password == "":
		return nil, errors.New("there is neither a credential cache nor a keytab nor a password to log in with by Kerberos")
	case name == "":
		return nil, errors.New("a password is nobody's: the target names no user")
	case realm == "":
		return nil, errNoRealm
	}
	return ask(conf, name, realm, func() *krb5.Client { return krb5.NewWithPassword(name, realm, s.Password, conf, settings()) })
}

var errNoRealm = errors.New("the realm is unknown: krb5.conf has no default_realm, and the user is not named user@REALM")

// ask logs in at the KDC.
func ask(conf *config.Config, name, realm string, with func() *krb5.Client) (*User, error) {
	if !configured(conf, realm) {
		return nil, fmt.Errorf("krb5.conf names no KDC of %s", realm)
	}
	c, err := asked(with)
	if err != nil {
		return nil, fmt.Errorf("%s@%s: %w", name, realm, reason(err))
	}
	return &User{realm: c.Credentials.Realm(), cname: c.Credentials.CName(), kdc: c}, nil
}

func fromKeytab(conf *config.Config, file, name, realm string) (*User, error) {
	file, err := fileOf(file, "keytab")
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	kt := keytab.New()
	if err := shielded(func() error { return kt.Unmarshal(slices.Clip(b)) }); err != nil || len(kt.Entries) == 0 {
		return nil, fmt.Errorf("%s holds no keys: it is no keytab, or an empty one", file)
	}
	if first := kt.Entries[0].Principal; name == "" { // whose it is, as kinit -k has it
		name, realm = strings.Join(first.Components, "/"), first.Realm
	}
	return ask(conf, name, realm, func() *krb5.Client { return krb5.NewWithKeytab(name, realm, kt, conf, settings()) })
}

func fromCache(conf *config.Config, file, name, realm string) (*User, error) {
	file, err := fileOf(file, "credential cache")
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	cache := new(credentials.CCache)
	if !sound(b) || shielded(func() error { return cache.Unmarshal(slices.Clip(b)) }) != nil {
		return nil, fmt.Errorf("%s is no credential cache of version 3 or 4", file)
	}
	u := &User{realm: cache.GetClientRealm(), cname: cache.GetClientPrincipalName(), cache: cache}
	if name != "" && !strings.EqualFold(name, u.cname.PrincipalNameString()) || name != "" && realm != "" && !strings.EqualFold(realm, u.realm) {
		return nil, fmt.Errorf("%s is of %s, not of %s", file, u.Name(), name)
	}
	if tgt := cached(cache, "krbtgt/"+u.realm, time.Now()); tgt != nil && configured(conf, u.realm) {
		err := shielded(func() (err error) {
			u.kdc, err = krb5.NewFromCCache(cache, conf, settings())
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return u, nil
}

// cached returns a service's ticket of a cache that is still good.
func cached(c *credentials.CCache, service string, now time.Time) *credentials.Credential {
	for _, e := range c.GetEntries() {
		var t messages.Ticket
		if strings.EqualFold(e.Server.PrincipalName.PrincipalNameString(), service) && now.Before(e.EndTime) && t.Unmarshal(e.Ticket) == nil {
			return e
		}
	}
	return nil
}

// fileOf returns the path of a cache or keytab that is named as kinit names them.
func fileOf(name, what string) (string, error) {
	kind, path, ok := strings.Cut(name, ":")
	switch {
	case !ok, len(kind) < 2: // a drive
		return name, nil
	case strings.EqualFold(kind, "FILE"), strings.EqualFold(kind, "WRFILE"):
		return path, nil
	case kind == strings.ToUpper(kind):
		return "", fmt.Errorf("the %s %s is not in a file, which is all that can be read: kinit -c FILE:… makes one", what, name)
	}
	return name, nil
}

// configuration reads krb5.conf. What it says that the library does not know is left out.
func configuration(file string) (*config.Config, error) {
	named := cmp.Or(file, os.Getenv("KRB5_CONFIG"))
	name := filepath.SplitList(cmp.Or(named, "/etc/krb5.conf"))[0] // of a list, the library takes one
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && named == "" {
		c := config.New() // a KDC may be found by its realm's name
		c.LibDefaults.DNSLookupKDC = true
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	var c *config.Config
	err = shielded(func() (err error) {
		c, err = config.NewFromString(string(b))
		return err
	})
	var unsupported config.UnsupportedDirective
	if err != nil && !errors.As(err, &unsupported) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// realmOf turns what a user has for a domain into a realm: NetBIOS domains have no KDC.
func realmOf(c *config.Config, name string) string {
	for _, r := range c.Realms {
		if short, _, _ := strings.Cut(r.Realm, "."); strings.EqualFold(r.Realm, name) || strings.EqualFold(short, name) {
			return r.Realm
		}
	}
	if strings.Contains(name, ".") {
		return strings.ToUpper(name)
	}
	return c.LibDefaults.DefaultRealm
}
