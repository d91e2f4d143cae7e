/*
   Reverse shells: one-liners and short scripts that connect out and tie a shell to the socket.
*/

rule SUSP_Revshell_Bash_Network_Device : SUSP REVSHELL LINUX T1059_004 {
   meta:
      description = "Shell redirected to bash's network pseudo device"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 80
      id = "57b7cf72-cb38-5c5a-bacf-1fc4ccc6f216"
   strings:
      $a = /\b(ba|da|z|k)?sh[ \t]{1,4}-i[ \t]{0,4}[0-9]{0,3}>&[ \t]{0,4}\/dev\/(tcp|udp)\// ascii
      $b = /exec[ \t]{1,4}[0-9]{1,3}<>[ \t]{0,4}\/dev\/(tcp|udp)\/[^\s;]{3,60}\/[0-9$]/ ascii
      $c = /0<&[0-9]{1,3}[^\r\n]{0,40}exec[ \t]{1,4}[0-9]{1,3}<>\/dev\/(tcp|udp)\// ascii
      $shell1 = /(\bsh|bash)[ \t]{0,4}<&[0-9]{1,3}[ \t]{0,4}>&[0-9]{1,3}/ ascii
      $shell2 = /while[ \t]{1,4}read[^\r\n]{0,80}\|&?[ \t]{0,4}(while|sh|bash|cat)|do[ \t]{1,4}\$line/ ascii
   condition:
      filesize < 2MB and ($a or $c or ($b and any of ($shell*)))
}

rule SUSP_Revshell_Python : SUSP REVSHELL PYTHON T1059_006 {
   meta:
      description = "Python connects a socket, duplicates it onto standard input and output, and starts a shell"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/006/"
      score = 80
      id = "3beb3513-a907-5b5f-9d8f-c6733e569429"
   strings:
      $connect = /\.connect[ \t]{0,4}\([ \t]{0,4}\(/
      $dup = /os\.dup2[ \t]{0,4}\([ \t]{0,4}\w{1,20}\.fileno[ \t]{0,4}\(\)/
      $sh1 = /pty\.spawn[ \t]{0,4}\([ \t]{0,4}\[?["'](\/bin\/)?(ba|z|da)?sh/
      $sh2 = /subprocess\.(call|Popen|run)[ \t]{0,4}\([ \t]{0,4}\[?[ \t]{0,4}["'](\/bin\/(ba|z|da)?sh|cmd(\.exe)?)["']/
      $sh3 = /os\.(system|execl?v?p?e?)[ \t]{0,4}\([ \t]{0,4}["']\/bin\/(ba|z|da)?sh/
   condition:
      filesize < 1MB and $connect and #dup > 1 and any of ($sh*)
}

rule SUSP_Revshell_Perl : SUSP REVSHELL PERL T1059 {
   meta:
      description = "Perl opens standard input and output on a socket and starts a shell"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/"
      score = 80
      id = "e7b23e3f-8e7a-5d9e-99b9-a24b7e9a7303"
   strings:
      $sock1 = /sockaddr_in[ \t]{0,4}\(/
      $sock2 = "IO::Socket::INET"
      $dup = /open[ \t]{0,4}\(?[ \t]{0,4}STD(IN|OUT|ERR)[ \t]{0,4},[ \t]{0,4}["']?[<>+]{1,2}&/
      $fdopen = /STDIN->fdopen[ \t]{0,4}\(/
      $sh = /(exec|system)[ \t]{0,4}\(?[ \t]{0,4}[\{"'\/]{1,3}(\/?bin\/)?(ba)?sh[ \t]{1,4}-i|exec[ \t]{0,4}\(?[ \t]{0,4}["'](\/bin\/(ba)?sh|cmd\.exe)|system[ \t]{0,4}\$_[ \t]{1,4}while/
   condition:
      filesize < 1MB and any of ($sock*) and (#dup > 1 or $fdopen) and $sh
}

rule SUSP_Revshell_Netcat : SUSP REVSHELL LINUX T1059_004 T1095 {
   meta:
      description = "Netcat ties a shell to a connection, by option or through a named pipe"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 75
      id = "8b929c7a-53fd-56dc-9d21-f6d310e05a70"
   strings:
      $opt = /\b(nc|ncat|netcat)(\.exe|\.traditional|\.openbsd)?[ \t][^\r\n|;&]{0,80}(-e|-c|--exec|--sh-exec|-[a-z]{1,6}e)[ \t]{1,4}["']?(\/bin\/|\/usr\/bin\/)?(ba|z|da)?(sh|cmd(\.exe)?|powershell(\.exe)?)\b/
      $pipe = /mkfifo[ \t]{1,4}[^\s;&|]{2,60}[^\r\n]{0,120}\|[ \t]{0,4}(\/bin\/)?(ba|z|da)?sh[ \t][^\r\n]{0,40}\|[ \t]{0,4}(nc|ncat|netcat|telnet|openssl[ \t]{1,4}s_client)\b/
   condition:
      filesize < 2MB and any of them
}

rule SUSP_Revshell_PHP : SUSP REVSHELL PHP T1059 T1505_003 {
   meta:
      description = "PHP opens a socket and starts a shell on it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/"
      score = 80
      id = "0c8c58c9-ea34-5310-a159-3cf849f37b86"
   strings:
      $sock = /(p?fsockopen|stream_socket_client|socket_connect)[ \t]{0,4}\(/
      $sh1 = /(exec|shell_exec|system|passthru|popen)[ \t]{0,4}\([ \t]{0,4}["'](\/bin\/)?(ba)?sh[ \t]{1,4}(-i[ \t]{1,4})?<&[0-9]/
      $sh2 = /proc_open[ \t]{0,4}\([ \t]{0,4}["']?(\/bin\/(ba)?sh|cmd(\.exe)?|\$shell|uname -a)/
   condition:
      filesize < 1MB and $sock and any of ($sh*)
}

rule SUSP_Revshell_Ruby : SUSP REVSHELL RUBY T1059 {
   meta:
      description = "Ruby connects a socket and runs what it receives, or a shell on it"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/"
      score = 75
      id = "f18bd9c4-58a6-57c4-852f-6a4cdfffcd08"
   strings:
      $sock = /TCPSocket\.(new|open)[ \t]{0,4}\(/
      $sh1 = /exec[ \t]{0,4}\(?[ \t]{0,4}(sprintf[ \t]{0,4}\()?["']\/bin\/(ba)?sh[ \t]{1,4}-i[ \t]{0,4}<&/
      $sh2 = /IO\.popen[ \t]{0,4}\([ \t]{0,4}(cmd|c|line|\w{1,10}\.gets)\b/
      $sh3 = /\$std(in|out|err)\.reopen[ \t]{0,4}\(/
      $sh4 = /exec[ \t]{0,4}\(?[ \t]{0,4}["'](\/bin\/)?(ba)?sh[ \t]{1,4}-i["']/
   condition:
      filesize < 1MB and $sock and ($sh1 or $sh2 or ($sh3 and $sh4))
}

rule SUSP_Revshell_Socat : SUSP REVSHELL LINUX T1059_004 T1095 {
   meta:
      description = "Socat ties a shell to a network address"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/004/"
      score = 75
      id = "a9726bde-7f9a-547d-956b-b918f56986a5"
   strings:
      $a = /socat[ \t][^\r\n]{0,160}\b(tcp[46]?|openssl|ssl|udp[46]?)(-connect|-listen|-l)?:[^\r\n]{1,120}\b(exec|system):["']?[^\s"',]{0,20}(sh|cmd|powershell)/ nocase
      $b = /socat[ \t][^\r\n]{0,160}\b(exec|system):["']?[^\s"',]{0,20}(sh|cmd|powershell)[^\r\n]{1,120}\b(tcp[46]?|openssl|ssl|udp[46]?)(-connect|-listen|-l)?:/ nocase
   condition:
      filesize < 2MB and any of them
}

rule SUSP_Revshell_PowerShell_Socket : SUSP REVSHELL POWERSHELL T1059_001 T1095 {
   meta:
      description = "PowerShell reads commands from a TCP stream, evaluates them and writes the output back"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/001/"
      score = 85
      id = "93ddd2c3-3ddf-5582-a003-c690d9705f48"
   strings:
      $client = /new-object[ \t]{1,4}["']?(system\.)?net\.sockets\.tcpclient/ ascii wide nocase
      $stream = ".GetStream()" ascii wide nocase
      $run = /\b(iex|invoke-expression)\b/ ascii wide nocase
      $back = /\.write[ \t]{0,4}\([ \t]{0,4}\$\w{1,30}[ \t]{0,4},[ \t]{0,4}0/ ascii wide nocase
   condition:
      filesize < 1MB and uint16be(0) != 0x4D5A and all of them
}

rule SUSP_Revshell_Awk_Lua_Node : SUSP REVSHELL T1059 {
   meta:
      description = "Network shells written for awk, Lua or Node.js"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1059/"
      score = 75
      id = "c40ec6a6-2ba9-5742-b325-436b958c3660"
   strings:
      $awk1 = /\/inet\/tcp\/0\/[^\s"']{3,60}\/[0-9]{2,5}/
      $awk2 = /\|&[ \t]{0,4}getline/
      $lua1 = /socket\.tcp[ \t]{0,4}\(\)/
      $lua2 = /os\.execute[ \t]{0,4}\([ \t]{0,4}["']\/bin\/(ba)?sh[ \t]{1,4}-i[ \t]{0,4}<&/
      $node1 = /require[ \t]{0,4}\([ \t]{0,4}["']child_process["']/
      $node2 = /spawn[ \t]{0,4}\([ \t]{0,4}["'](\/bin\/(ba)?sh|cmd(\.exe)?)["']/
      $node3 = /\.pipe[ \t]{0,4}\([ \t]{0,4}\w{1,10}\.stdin[ \t]{0,4}\)/
   condition:
      filesize < 200KB and (all of ($awk*) or all of ($lua*) or all of ($node*))
}
