package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Target is what a URL smb://DOMAIN;user@host:port/share/path names.
type Target struct {
	Domain, User string
	Host         string
	Port         string // 445 unless the URL says another
	Share        string
	Path         string // within the share, with backslashes; may be empty
}

// ParseTarget reads such a URL. Passwords have no place in one: lists of processes and
// histories of shells show it.
func ParseTarget(s string) (*Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, fmt.Errorf("the URL cannot be read: %w", err) // without s, which may hold a password
	}
	t := &Target{Host: u.Hostname(), Port: u.Port()}
	if u.Scheme != "smb" || t.Host == "" {
		return nil, errors.New("a target is written smb://user@host/share")
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("a password has no place in a URL, where others can see it")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("a ? or # in a name is written %3F or %23 in a URL")
	}
	if t.Port == "" {
		t.Port = "445"
	}
	t.User = u.User.Username()
	if domain, user, ok := strings.Cut(t.User, ";"); ok {
		t.Domain, t.User = domain, user
	} else if domain, user, ok := strings.Cut(t.User, `\`); ok {
		t.Domain, t.User = domain, user
	}
	share, path, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	t.Share, t.Path = share, strings.ReplaceAll(strings.Trim(path, "/"), "/", `\`)
	if strings.Contains(t.Share, `\`) {
		return nil, errors.New("the name of a share has no backslash")
	}
	return t, nil
}

// Address is host and port, for DialTCP.
func (t *Target) Address() string { return net.JoinHostPort(t.Host, t.Port) }

// UNC is the share's path as TREE_CONNECT has it.
func (t *Target) UNC() string { return `\\` + t.Host + `\` + t.Share }

// Server tells whether two targets are one user's on one server.
func (t *Target) Server(other *Target) bool {
	return strings.EqualFold(t.Host, other.Host) && t.Port == other.Port && t.User == other.User && t.Domain == other.Domain
}

// Dial connects to the target and logs in, within the options' Timeout. Their ServerName
// is set from the target; who has the password.
func (t *Target) Dial(ctx context.Context, o *Options, who *Credentials) (*Session, error) {
	ctx, cancel := o.bound(ctx, "the login")
	defer cancel()
	tr, err := DialTCP(ctx, t.Address())
	if err != nil {
		return nil, err
	}
	named := *o
	named.ServerName = t.Host
	c, err := Negotiate(ctx, tr, &named)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address(), err)
	}
	as := *who
	as.User, as.Domain = t.User, t.Domain
	s, err := c.Login(ctx, &as)
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("%s: %w", t.Address(), err)
	}
	return s, nil
}
