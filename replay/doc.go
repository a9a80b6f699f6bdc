// Package replay takes the client side of captured SMB2 sessions, drives it at a live
// server, and says where the answers differ.
//
// [Extract] makes a [Plan] of a capture: its requests as templates with slots for what a
// server gives anew (sessions, trees, file handles, keys, tokens), the answers to expect,
// and what has to wait for what. A [Run] sends them through package client and compares.
// Nothing here knows how bytes travel, and nothing below it knows of replay.
//
//	flows.Capture ─► Extract ─► Plan ─► Run ─► Report
//	                              └► Manifest ─► Prepare, Clean
package replay
