import Pipeline

// How texts begin: patterns in lower case, compared with the head of the text in lower case after its byte order mark
// and leading white space.

let textMagics: [Magic] = [
    Magic("PHP", "'<?php'"),
    Magic("PHP", "'<?='"),
    Magic("PHP", "'<? '"),
    Magic("XML", "'<?xml'"),
    Magic("HTML", "'<!doctype html'"),
    Magic("HTML", "'<html'"),
    Magic("HTML", "'<head>'"),
    Magic("HTML", "'<body'"),
    Magic("HTA", "'<hta:application'"),
    Magic("SVG", "'<svg '"),
    Magic("WSF", "'<job '"),
    Magic("WSF", "'<job>'"),
    Magic("SCT", "'<scriptlet'"),
    Magic("JSP", "'<jsp:'"),
    Magic("JSP", "'<%--'"),
    Magic("VBE", "'#@~^'"),
    Magic("BATCH", "'@echo off'"),
    Magic("BATCH", "'@echo on'"),
    Magic("BATCH", "'@echo '"),
    Magic("BATCH", "'@setlocal'"),
    Magic("BATCH", "'@powershell '"),
    Magic("VBS", "'on error resume next'"),
    Magic("VBS", "'option explicit'"),
    Magic("ICS", "'begin:vcalendar'"),
    Magic("VCARD", "'begin:vcard'"),
    Magic("Internet Shortcut", "'[internetshortcut]'"),
    Magic("Registry Export", "'windows registry editor version '"),
    Magic("Registry Export", "'regedit4'"),
    Magic("WER", "'version=1'", look: lookAtErrorReport),
    Magic("Certificate PEM", "'-----begin certificate'"),
    Magic("Certificate PEM", "'-----begin x509 c'"),
    Magic("Certificate PEM", "'-----begin trusted certificate'"),
    Magic("PKCS7 PEM", "'-----begin pkcs7'"),
    Magic("Certificate Request PEM", "'-----begin certificate request'"),
    Magic("Private Key PEM", "'-----begin private key'"),
    Magic("Private Key PEM", "'-----begin encrypted private key'"),
    Magic("Private Key PEM", "'-----begin rsa private key'"),
    Magic("Private Key PEM", "'-----begin ec private key'"),
    Magic("Private Key PEM", "'-----begin dsa private key'"),
    Magic("Public Key PEM", "'-----begin public key'"),
    Magic("Public Key PEM", "'-----begin rsa public key'"),
    Magic("SSH Private Key", "'-----begin openssh private key'"),
    Magic("SSH Private Key", "'---- begin ssh2 encrypted private key'"),
    Magic("SSH Public Key", "'---- begin ssh2 public key'"),
    Magic("SSH Public Key", "'ssh-rsa aaaa'"),
    Magic("SSH Public Key", "'ssh-dss aaaa'"),
    Magic("SSH Public Key", "'ssh-ed25519 aaaa'"),
    Magic("SSH Public Key", "'ecdsa-sha2-nistp'"),
    Magic("PuTTY Key", "'putty-user-key-file-'"),
    Magic("PGP", "'-----begin pgp '"),
    Magic("Uuencode", "'begin 644 '"),
    Magic("Uuencode", "'begin 755 '"),
    Magic("Uuencode", "'begin-base64 '"),
    Magic("yEnc", "'=ybegin '"),
    Magic("BinHex", "'(this file must be converted with binhex'"),
    Magic("Mork Database", "'// <!-- <mdb:mork:z'"),
    Magic("MimiLSA Log", "'[00000000:'"),
    Magic("Auditd Log", "'type='", look: lookAtAuditRecord),
    Magic("Log", "'#software: microsoft'"),
    Magic("Log", "'#version: 1.'"),
    Magic("Log", "'#date: '"),
    Magic("Log", "'#separator \\x09'"),
    Magic("MTREE", "'#mtree'"),
    Magic("VMDK", "'# disk descriptor'"),
]

// Windows Error Reporting writes UTF-16 lines of key=value.
func lookAtErrorReport(_ lower: RawSpan) -> FileKind? {
    lower.firstOffset(of: Array("eventtype=".utf8)) != nil ? FileKind("WER") : nil
}

func lookAtAuditRecord(_ lower: RawSpan) -> FileKind? {
    lower.prefix(256).firstOffset(of: Array("msg=audit(".utf8)) != nil ? FileKind("Auditd Log") : nil
}
