using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Text;

namespace Cairn.Core.Tests.Text;

/// <summary>Names as text: readable where they can be, and always the same bytes when they are read back.</summary>
public sealed class NameTextTests
{
    [Theory]
    [InlineData("plain.txt")]
    [InlineData("with\nnewline and \e[31m")]
    [InlineData("émoji 🪨 name")]
    public void Utf8_is_shown_as_it_is(string name) => Assert.Equal(name, NameText.Of(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Other_bytes_are_private_characters()
    {
        Assert.Equal("inv\uEFFF\uEFFEalid", NameText.Of([.. "inv"u8, 0xFF, 0xFE, .. "alid"u8]));
        Assert.Equal("caf\uEFE9", NameText.Of([.. "caf"u8, 0xE9]));
        Assert.Equal("cut \uEFF0\uEF9F", NameText.Of([.. "cut "u8, 0xF0, 0x9F]));
    }

    /// <summary>Any bytes: no two names have the same text, also none that has the private characters itself.</summary>
    [Fact]
    public void Every_name_comes_back()
    {
        Prng random = new(5);
        for (int i = 0; i < 5000; i++)
        {
            byte[] name = new byte[1 + random.Next(20)];
            random.Fill(name);
            Assert.Equal(name, NameText.ToBytes(NameText.Of(name)));
        }

        byte[] itself = Encoding.UTF8.GetBytes("\uEFFF");
        Assert.NotEqual(NameText.Of([0xFF]), NameText.Of(itself));
        Assert.Equal(itself, NameText.ToBytes(NameText.Of(itself)));
    }

    [Fact]
    public void Paths_are_names_with_slashes_between()
    {
        Assert.Equal("a/\uEFFF/c", NameText.Join(NameText.Split("/a//\uEFFF/c/")));
        Assert.Equal([0xFF], NameText.Split("a/\uEFFF")[1].ToArray());
    }
}
