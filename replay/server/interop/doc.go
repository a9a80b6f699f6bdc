// Package interop has clients of others talk to the lab server. It is a module of its own
// so that what they need stays out of odxray.
package interop
